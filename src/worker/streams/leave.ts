import { isIterable, type Stream } from "./stream.ts";

/**
 * Ends an iteration that is not taken to its end, so that it closes its files and connections. One that has ended by itself
 * does nothing then. What goes wrong here is of no consequence: nobody wants the rest.
 */
export function leave(iterator: Partial<Iterator<unknown> | AsyncIterator<unknown>>): void {
  try {
    const left: unknown = iterator.return?.();
    if (left instanceof Promise) left.catch(() => {});
  } catch {
    // A user's stream, say, that fails even now.
  }
}

/** The same for a stream that gives its one iterator whenever it is asked. */
export function leaveStream(stream: Stream<unknown>): void {
  leave(isIterable(stream) ? stream[Symbol.iterator]() : stream[Symbol.asyncIterator]());
}
