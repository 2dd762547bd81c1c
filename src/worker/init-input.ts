/**
 * What `init` gets to see of a task's input. What it reads is gone, as in the seed. Leaving a loop early must not end the input
 * for the function that comes after: in Python a loop that is left closes nothing.
 */
import { isAsyncIterable, isIterable, type Stream } from "./streams/stream.ts";

/** One iteration of a stream, as often as it is asked for an iterator. */
export function iterateOnce(stream: Stream<unknown>): Stream<unknown> {
  if (isIterable(stream)) {
    const iterator = stream[Symbol.iterator]();
    return isIterable(iterator) ? iterator : { [Symbol.iterator]: () => iterator };
  }
  const iterator = stream[Symbol.asyncIterator]();
  return isAsyncIterable(iterator) ? iterator : { [Symbol.asyncIterator]: () => iterator };
}

/** A view of the iteration that has no `return`, so that nobody can end it. */
export function initInput(input: Stream<unknown>): Stream<unknown> {
  if (isIterable(input)) return new Unending(input[Symbol.iterator]());
  const iterator = input[Symbol.asyncIterator]();
  const view = { next: () => iterator.next(), [Symbol.asyncIterator]: () => view };
  return view;
}

class Unending extends Iterator<unknown, unknown> {
  readonly #iterator: Iterator<unknown>;

  constructor(iterator: Iterator<unknown>) {
    super();
    this.#iterator = iterator;
  }

  override next(): IteratorResult<unknown, unknown> {
    return this.#iterator.next();
  }
}
