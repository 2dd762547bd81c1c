/** Streams that count what is read from them, for progress. */
import type { ByteSource } from "../../schemes/scheme.ts";
import type { Progress } from "../progress.ts";
import { type Batch, type BatchSource, Records } from "../storage/batch.ts";

/** The same source; its bytes are counted as they are read, and its address is what failures name. */
export function countBytes(source: ByteSource, progress: Progress): ByteSource {
  return {
    url: source.url,
    size: source.size,
    *[Symbol.iterator]() {
      for (const chunk of source) {
        progress.bytesIn += chunk.length;
        progress.url = source.url;
        yield chunk;
      }
    },
    async *[Symbol.asyncIterator]() {
      for await (const chunk of source) {
        progress.bytesIn += chunk.length;
        progress.url = source.url;
        yield chunk;
      }
    },
  };
}

/** The pairs that a reduce reads, counted by the batch where they come in batches. */
export function countRecords(
  stream: Iterable<unknown>,
  progress: Progress,
  onBatch: () => void,
): IteratorObject<unknown, undefined> {
  if (stream instanceof Records) return new Records(new CountedBatches(stream, progress, onBatch));
  return new CountedIterator(stream[Symbol.iterator](), progress);
}

export async function* countAsync(
  stream: AsyncIterable<unknown>,
  progress: Progress,
): AsyncGenerator<unknown, void, undefined> {
  const counter = new Counter(progress);
  for await (const record of stream) {
    counter.add(1);
    yield record;
  }
}

class Counter {
  readonly #progress: Progress;
  #count = 0;
  #nextStatus: number;
  #seen: number | undefined;

  constructor(progress: Progress) {
    this.#progress = progress;
    this.#nextStatus = progress.nextStatus(0);
    this.#seen = progress.beat[0];
  }

  add(records: number): void {
    this.#count += records;
    this.#progress.recordsIn = this.#count;
    while (this.#count >= this.#nextStatus) {
      this.#progress.status(this.#nextStatus);
      this.#nextStatus = this.#progress.nextStatus(this.#nextStatus);
    }
    if (this.#progress.beat[0] !== this.#seen) {
      this.#seen = this.#progress.beat[0];
      this.#progress.report(this.#count);
    }
  }
}

class CountedBatches implements BatchSource {
  readonly #source: BatchSource;
  readonly #onBatch: () => void;
  readonly #counter: Counter;

  constructor(source: BatchSource, progress: Progress, onBatch: () => void) {
    this.#source = source;
    this.#onBatch = onBatch;
    this.#counter = new Counter(progress);
  }

  nextBatch(): Batch | null {
    this.#onBatch();
    const batch = this.#source.nextBatch();
    if (batch !== null) this.#counter.add(batch.n);
    return batch;
  }

  close(): void {
    this.#source.close();
  }
}

class CountedIterator extends Iterator<unknown, undefined> {
  readonly #records: Iterator<unknown>;
  readonly #counter: Counter;

  constructor(records: Iterator<unknown>, progress: Progress) {
    super();
    this.#records = records;
    this.#counter = new Counter(progress);
  }

  override next(): IteratorResult<unknown, undefined> {
    const step = this.#records.next();
    if (step.done === true) return { done: true, value: undefined };
    this.#counter.add(1);
    return step;
  }

  override return(): IteratorResult<unknown, undefined> {
    this.#records.return?.();
    return { done: true, value: undefined };
  }
}
