/**
 * Streams that know their records by the batch. A loop over records through `next()` costs a call and an object a record;
 * the engine's own loops ask for whole batches instead. To everyone else such a stream is an ordinary iterator, with the
 * iterator helpers (`map`, `filter`, `take` …).
 */

/**
 * The next records of any stream, at least one; `null` at the end. Of a stream that does not know batches one at a time: a
 * generator may yield the same object again and again.
 */
export function nextRecords(records: Iterator<unknown>): readonly unknown[] | null {
  if (records instanceof BatchIterator) return records.nextBatch();
  const step = records.next();
  return step.done === true ? null : [step.value];
}

export abstract class BatchIterator<T> extends Iterator<T, undefined> {
  #batch: readonly T[] = [];
  #at = 0;
  #ended = false;

  /** The next records, at least one; `null` at the end. */
  protected abstract readBatch(): readonly T[] | null;

  /** The records that `next()` has not given yet, by the batch; `null` at the end. */
  nextBatch(): readonly T[] | null {
    if (this.#at < this.#batch.length) {
      const rest = this.#at === 0 ? this.#batch : this.#batch.slice(this.#at);
      this.#at = this.#batch.length;
      return rest;
    }
    if (this.#ended) return null;
    const batch = this.readBatch();
    if (batch === null) this.#ended = true;
    return batch;
  }

  override next(): IteratorResult<T, undefined> {
    if (this.#at >= this.#batch.length) {
      const batch = this.nextBatch();
      if (batch === null) return { done: true, value: undefined };
      this.#batch = batch;
      this.#at = 0;
    }
    return { done: false, value: this.#batch[this.#at++] as T };
  }

  /** Ends the stream early and lets go of what it reads from. */
  override return(): IteratorResult<T, undefined> {
    this.#ended = true;
    this.#batch = [];
    this.#at = 0;
    return { done: true, value: undefined };
  }
}
