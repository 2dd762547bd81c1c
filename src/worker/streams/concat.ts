/** The streams of a task's inputs as one, each opened when the one before has ended. */
import { BatchIterator, nextRecords } from "./batches.ts";
import { isIterable, type Stream } from "./stream.ts";

export type OpenStreamFn = () => Stream<unknown>;

/** A single stream stays what it is; the first of several is opened at once, to see whether they are async. */
export function concat(openers: readonly OpenStreamFn[]): Stream<unknown> {
  const first = openers[0]?.() ?? [];
  if (openers.length <= 1) return first;
  return isIterable(first) ? new ConcatRecords(first, openers) : concatAsync(first, openers);
}

class ConcatRecords extends BatchIterator<unknown> {
  readonly #openers: readonly OpenStreamFn[];
  #next = 1;
  #records: Iterator<unknown> | null;

  constructor(first: Iterable<unknown>, openers: readonly OpenStreamFn[]) {
    super();
    this.#openers = openers;
    this.#records = first[Symbol.iterator]();
  }

  protected override readBatch(): readonly unknown[] | null {
    while (this.#records !== null) {
      const batch = nextRecords(this.#records);
      if (batch !== null) return batch;
      const open = this.#openers[this.#next++];
      this.#records = open === undefined ? null : synchronous(open())[Symbol.iterator]();
    }
    return null;
  }

  override return(): IteratorResult<unknown, undefined> {
    this.#records?.return?.();
    this.#records = null;
    return super.return();
  }
}

function synchronous(stream: Stream<unknown>): Iterable<unknown> {
  if (isIterable(stream)) return stream;
  throw new TypeError("the readers of a task's inputs are partly async: make them all synchronous or all async");
}

async function* concatAsync(
  first: Stream<unknown>,
  openers: readonly OpenStreamFn[],
): AsyncGenerator<unknown, void, undefined> {
  yield* first;
  for (const open of openers.slice(1)) yield* open();
}
