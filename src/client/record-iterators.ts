/** Iterators that hand out the records of a batch one by one, then ask for the next batch. */
import type { RecordBatch } from "./result-records.ts";

/** The batch that records are being taken from. */
export class BatchCursor<T> {
  /** Position in the batch, and its end. */
  at = 0;
  n = 0;
  #entries: readonly unknown[] | null = null;
  #keys: readonly unknown[] = [];
  #values: readonly unknown[] = [];

  set(batch: RecordBatch): void {
    this.at = 0;
    this.n = batch.n;
    if ("entries" in batch) {
      this.#entries = batch.entries;
    } else {
      this.#entries = null;
      this.#keys = batch.keys;
      this.#values = batch.values;
    }
  }

  clear(): void {
    this.set({ entries: [], n: 0 });
  }

  take(): T {
    const at = this.at++;
    return (this.#entries === null ? [this.#keys[at], this.#values[at]] : this.#entries[at]) as T;
  }
}

/** Appends all records of a batch. */
export function appendRecords<T>(records: T[], batch: RecordBatch): void {
  if ("entries" in batch) {
    for (let i = 0; i < batch.n; i++) records.push(batch.entries[i] as T);
    return;
  }
  const { keys, values, n } = batch;
  for (let i = 0; i < n; i++) records.push([keys[i], values[i]] as T);
}

/** One synchronous loop. */
export class RecordIterator<T> extends Iterator<T, undefined> {
  readonly #batches: Generator<RecordBatch, void>;
  readonly #cursor = new BatchCursor<T>();

  constructor(batches: Generator<RecordBatch, void>) {
    super();
    this.#batches = batches;
  }

  override next(): IteratorResult<T, undefined> {
    const cursor = this.#cursor;
    while (cursor.at === cursor.n) {
      const { done, value } = this.#batches.next();
      if (done === true) return { done: true, value: undefined };
      cursor.set(value);
    }
    return { done: false, value: cursor.take() };
  }

  override return(): IteratorResult<T, undefined> {
    this.#cursor.clear();
    this.#batches.return();
    return { done: true, value: undefined };
  }
}

/** One loop that makes a promise a record, and awaits only batches. */
export class AsyncRecordIterator<T> implements AsyncIterator<T, undefined> {
  readonly #batches: AsyncGenerator<RecordBatch, void>;
  readonly #cursor = new BatchCursor<T>();
  /** Calls of `next` that wait for a batch, and those after them, stand in line. */
  #line: Promise<unknown> | null = null;

  constructor(batches: AsyncGenerator<RecordBatch, void>) {
    this.#batches = batches;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const cursor = this.#cursor;
    if (this.#line === null && cursor.at < cursor.n) return Promise.resolve({ done: false, value: cursor.take() });
    return this.#inLine();
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#cursor.clear();
    await this.#batches.return();
    return { done: true, value: undefined };
  }

  #inLine(): Promise<IteratorResult<T, undefined>> {
    const turn = this.#line === null ? this.#afterMore() : this.#line.then(() => this.#afterMore());
    const settled: Promise<void> = turn.then(
      () => this.#leave(settled),
      () => this.#leave(settled),
    );
    this.#line = settled;
    return turn;
  }

  #leave(turn: Promise<void>): void {
    if (this.#line === turn) this.#line = null;
  }

  async #afterMore(): Promise<IteratorResult<T, undefined>> {
    const cursor = this.#cursor;
    while (cursor.at === cursor.n) {
      const { done, value } = await this.#batches.next();
      if (done === true) return { done: true, value: undefined };
      cursor.set(value);
    }
    return { done: false, value: cursor.take() };
  }
}
