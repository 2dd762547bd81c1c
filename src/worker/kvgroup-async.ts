/** `kvgroup` over an asynchronous iterable of pairs: the same laziness, with a promise a value. */
import { sameKey } from "../protocol/order.ts";
import { asPair } from "./storage/pair.ts";

/** The pairs under the groups: one is looked at before it is known whose it is. */
class AsyncCursor {
  current: readonly [unknown, unknown] | null = null;
  /** Rises with each group; an older group is over. */
  turn = 0;
  readonly iterator: AsyncIterator<unknown>;

  constructor(pairs: AsyncIterable<unknown>) {
    this.iterator = pairs[Symbol.asyncIterator]();
  }

  /** Makes the next pair the current one, if there is none. */
  async peek(): Promise<readonly [unknown, unknown] | null> {
    if (this.current === null) {
      const result = await this.iterator.next();
      this.current = result.done === true ? null : asPair(result.value);
    }
    return this.current;
  }
}

/** The values of one key. */
export class AsyncGroup<V> implements AsyncIterableIterator<V, undefined> {
  readonly #cursor: AsyncCursor;
  readonly #key: unknown;
  readonly #turn: number;

  /** @internal */
  constructor(cursor: AsyncCursor, key: unknown) {
    this.#cursor = cursor;
    this.#key = key;
    this.#turn = cursor.turn;
  }

  async next(): Promise<IteratorResult<V, undefined>> {
    const cursor = this.#cursor;
    if (this.#turn !== cursor.turn) return { done: true, value: undefined };
    const pair = await cursor.peek();
    if (pair === null || !sameKey(pair[0], this.#key)) return { done: true, value: undefined };
    cursor.current = null;
    return { done: false, value: pair[1] as V };
  }

  /** Leaving a loop over a group early ends the group, not the records. */
  return(): Promise<IteratorResult<V, undefined>> {
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async reduce<U>(callback: (previous: U, value: V, index: number) => U | Promise<U>, initial: U): Promise<U> {
    let result = initial;
    let index = 0;
    for await (const value of this) result = await callback(result, value, index++);
    return result;
  }

  async forEach(callback: (value: V, index: number) => unknown): Promise<void> {
    let index = 0;
    for await (const value of this) await callback(value, index++);
  }

  async toArray(): Promise<V[]> {
    const items: V[] = [];
    for await (const value of this) items.push(value);
    return items;
  }
}

/** @throws DataError `bad-pair` for an entry that is no pair. */
export async function* groupAsync<K, V>(
  pairs: AsyncIterable<readonly [K, V]>,
): AsyncGenerator<[K, AsyncGroup<V>], undefined, undefined> {
  const cursor = new AsyncCursor(pairs);
  try {
    for (let pair = await cursor.peek(); pair !== null; pair = await cursor.peek()) {
      const group = new AsyncGroup<V>(cursor, pair[0]);
      yield [pair[0] as K, group];
      for (let rest = await group.next(); rest.done !== true; rest = await group.next());
      cursor.turn++;
    }
  } finally {
    cursor.turn++;
    await cursor.iterator.return?.();
  }
  return undefined;
}
