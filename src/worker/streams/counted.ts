/** Streams that count what is read from them: for progress, and for those who hold on to it. */
import { type ByteSource, type Lender, lend } from "../../schemes/scheme.ts";
import type { Progress } from "../progress.ts";
import { type Batch, type BatchSource, Records } from "../storage/batch.ts";
import { isAsyncIterable, isIterable, isLender, type Stream } from "./stream.ts";

/** Memory of the text behind a batch of records, at most: a decoded block. */
const batchBytes = 1024 * 1024;

/** The same source; its bytes are counted as they are read, and its address is what failures name. */
export function countBytes(source: ByteSource, progress: Progress): ByteSource {
  const count = (chunk: Uint8Array): void => {
    progress.bytesIn += chunk.length;
    progress.url = source.url;
  };
  return {
    url: source.url,
    size: source.size,
    [Symbol.iterator]: () => tap(source, count),
    [Symbol.asyncIterator]: () => tapAsync(source, count),
    ...lending(source, count),
  };
}

/** The same bytes, to be read in the same ways, blocking or not. */
export function countText(stream: Stream<Uint8Array>, text: TextCount): Stream<Uint8Array> {
  const count = (chunk: Uint8Array): void => text.add(chunk.length);
  const blocking = isIterable(stream) ? { [Symbol.iterator]: () => tap(stream as Iterable<Uint8Array>, count) } : {};
  const waiting = isAsyncIterable(stream) ? { [Symbol.asyncIterator]: () => tapAsync(stream, count) } : {};
  return { ...blocking, ...waiting, ...lending(stream, count) } as Stream<Uint8Array>;
}

/** Chunks that the stream lends are lent on. */
function lending(stream: object, see: (chunk: Uint8Array) => void): Partial<Lender> {
  return isLender(stream) ? { [lend]: () => tap(stream[lend](), see) } : {};
}

function* tap<T>(items: Iterable<T>, see: (item: T) => void): Generator<T, void, undefined> {
  for (const item of items) {
    see(item);
    yield item;
  }
}

async function* tapAsync<T>(items: Stream<T>, see: (item: T) => void): AsyncGenerator<T, void, undefined> {
  for await (const item of items) {
    see(item);
    yield item;
  }
}

/** The text of one input as it is counted in `textBytes`. */
export class TextCount {
  readonly #progress: Progress;
  #bytes = 0;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#progress.textBytes += bytes;
  }

  /** Another replica is read, from its beginning. */
  restart(): void {
    this.#progress.textBytes -= this.#bytes;
    this.#bytes = 0;
  }
}

/** Our own records, which come as blocks of text. */
export function countBlocks(records: Records, progress: Progress): Records {
  return new Records({
    nextBatch() {
      const batch = records.nextBatch();
      if (batch !== null) progress.textBytes += batchBytes;
      return batch;
    },
    close: () => records.close(),
  });
}

/** The pairs that a reduce reads, counted by the batch where they come in batches. */
export function countRecords(
  stream: Iterable<unknown>,
  progress: Progress,
  onBatch: () => void,
): IteratorObject<unknown, undefined> {
  if (stream instanceof Records) {
    return new Records(new CountedBatches(countBlocks(stream, progress), progress, onBatch));
  }
  return new CountedIterator(stream[Symbol.iterator](), progress, onBatch);
}

export async function* countAsync(
  stream: AsyncIterable<unknown>,
  progress: Progress,
  onBatch: () => void,
): AsyncGenerator<unknown, void, undefined> {
  const counter = new Counter(progress);
  for await (const record of stream) {
    counter.add(1);
    yield record;
    onBatch();
  }
}

export class Counter {
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
  readonly #onBatch: () => void;
  readonly #counter: Counter;

  constructor(records: Iterator<unknown>, progress: Progress, onBatch: () => void) {
    super();
    this.#records = records;
    this.#onBatch = onBatch;
    this.#counter = new Counter(progress);
  }

  override next(): IteratorResult<unknown, undefined> {
    this.#onBatch();
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
