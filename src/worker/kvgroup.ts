/**
 * `kvgroup`: groups neighbouring records with the same key, as the seed's `disco.util.kvgroup` does. Only neighbours: sort
 * first (`sort: true`) to have each key once.
 *
 * Groups are lazy. A group is a window on the one stream of records: memory does not grow with it, and asking for the next
 * key skips what is left of it; a group that was passed is empty.
 */
import { inspect } from "node:util";
import { DiscoError } from "../errors.ts";
import { sameKey } from "../protocol/order.ts";
import { type AsyncGroup, groupAsync } from "./kvgroup-async.ts";
import { Records } from "./storage/batch.ts";
import { asPair } from "./storage/pair.ts";

/** The records under a group cursor: parallel arrays, of which `at` is the next record, `n` the end. */
class PairCursor {
  keys: readonly unknown[] = [];
  values: readonly unknown[] = [];
  at = 0;
  n = 0;
  /** Rises with each group; an older group is over. */
  turn = 0;
  readonly #records: Records | null;
  readonly #iterator: Iterator<readonly [unknown, unknown]>;

  constructor(pairs: Iterable<readonly [unknown, unknown]>) {
    this.#records = pairs instanceof Records ? pairs : null;
    this.#iterator = this.#records ?? pairs[Symbol.iterator]();
  }

  /** Gets more records when all were taken: a batch from our own records, else exactly one. */
  refill(): boolean {
    this.at = 0;
    this.n = 0;
    if (this.#records !== null) {
      const batch = this.#records.nextBatch();
      if (batch === null) return false;
      this.keys = batch.keys;
      this.values = batch.values;
      this.n = batch.n;
      return true;
    }
    const result = this.#iterator.next();
    if (result.done === true) return false;
    const [key, value] = asPair(result.value);
    this.keys = [key];
    this.values = [value];
    this.n = 1;
    return true;
  }

  close(): void {
    this.turn++;
    this.#iterator.return?.();
  }
}

/** The values of one key, in the order of the records. All methods of iterators work on it (`reduce`, `map`, `toArray` …). */
export class Group<V> extends Iterator<V, undefined, unknown> {
  readonly #cursor: PairCursor;
  readonly #key: unknown;
  readonly #turn: number;

  /** @internal */
  constructor(cursor: PairCursor, key: unknown) {
    super();
    this.#cursor = cursor;
    this.#key = key;
    this.#turn = cursor.turn;
  }

  override next(): IteratorResult<V, undefined> {
    const cursor = this.#cursor;
    if (this.#more(cursor)) return { done: false, value: cursor.values[cursor.at++] as V };
    return { done: true, value: undefined };
  }

  /** Leaving a loop over a group early ends the group, not the records. */
  override return(): IteratorResult<V, undefined> {
    return { done: true, value: undefined };
  }

  override forEach(callback: (value: V, index: number) => void): void {
    const cursor = this.#cursor;
    for (let index = 0; this.#more(cursor); index++) callback(cursor.values[cursor.at++] as V, index);
  }

  override reduce(callback: (previous: V, value: V, index: number) => V): V;
  override reduce(callback: (previous: V, value: V, index: number) => V, initial: V): V;
  override reduce<U>(callback: (previous: U, value: V, index: number) => U, initial: U): U;
  override reduce<U>(callback: (previous: U, value: V, index: number) => U, ...initial: [U?]): U {
    const cursor = this.#cursor;
    let index = 0;
    let result = initial[0] as U;
    if (initial.length === 0) {
      if (!this.#more(cursor)) throw new TypeError("Reduce of a done iterator with no initial value");
      result = cursor.values[cursor.at++] as U;
      index = 1;
    }
    while (this.#more(cursor)) result = callback(result, cursor.values[cursor.at++] as V, index++);
    return result;
  }

  override toArray(): V[] {
    const items: V[] = [];
    const cursor = this.#cursor;
    while (this.#more(cursor)) items.push(cursor.values[cursor.at++] as V);
    return items;
  }

  /** How many values are left; takes them all. */
  count(): number {
    const cursor = this.#cursor;
    let n = 0;
    for (; this.#more(cursor); cursor.at++) n++;
    return n;
  }

  /** @internal Takes what is left. */
  skip(): void {
    const cursor = this.#cursor;
    while (this.#more(cursor)) cursor.at++;
  }

  /** Whether the next record is this group's. */
  #more(cursor: PairCursor): boolean {
    if (this.#turn !== cursor.turn) return false;
    if (cursor.at === cursor.n && !cursor.refill()) return false;
    const key = cursor.keys[cursor.at];
    return key === this.#key || (typeof key !== "string" && sameKey(key, this.#key));
  }
}

class Groups<K, V> extends Iterator<[K, Group<V>], undefined, unknown> {
  readonly #cursor: PairCursor;
  #group: Group<V> | null = null;
  #ended = false;

  constructor(pairs: Iterable<readonly [K, V]>) {
    super();
    this.#cursor = new PairCursor(pairs);
  }

  override next(): IteratorResult<[K, Group<V>], undefined> {
    const cursor = this.#cursor;
    if (!this.#ended) {
      this.#group?.skip();
      cursor.turn++;
      if (cursor.at < cursor.n || cursor.refill()) {
        const key = cursor.keys[cursor.at] as K;
        this.#group = new Group<V>(cursor, key);
        return { done: false, value: [key, this.#group] };
      }
      this.#ended = true;
    }
    return { done: true, value: undefined };
  }

  override return(): IteratorResult<[K, Group<V>], undefined> {
    if (!this.#ended) {
      this.#ended = true;
      this.#cursor.close();
    }
    return { done: true, value: undefined };
  }
}

/**
 * Iterates over `[key, values]`, one for each stretch of neighbouring records with the same key. Keys are the same as
 * `sort` sees it: 0 and -0, NaN and NaN, and arrays and objects with equal contents; not 1 and "1".
 *
 * Over an asynchronous iterable of pairs, it and its groups are asynchronous.
 *
 * @example
 * for (const [word, counts] of kvgroup(pairs)) yield [word, counts.reduce((a, n) => a + n, 0)];
 */
export function kvgroup<K, V>(pairs: Iterable<readonly [K, V]>): IteratorObject<[K, Group<V>], undefined, unknown>;
export function kvgroup<K, V>(pairs: AsyncIterable<readonly [K, V]>): AsyncIterableIterator<[K, AsyncGroup<V>]>;
export function kvgroup<K, V>(
  pairs: Iterable<readonly [K, V]> | AsyncIterable<readonly [K, V]>,
): IteratorObject<[K, Group<V>], undefined, unknown> | AsyncIterableIterator<[K, AsyncGroup<V>]> {
  if (typeof pairs === "object" && pairs !== null) {
    if (Symbol.iterator in pairs) return new Groups<K, V>(pairs);
    if (Symbol.asyncIterator in pairs) return groupAsync<K, V>(pairs);
  }
  throw new DiscoError(`kvgroup: an iterable of [key, value] pairs was expected, got ${inspect(pairs, { depth: 0 })}`, {
    code: "bad-pair",
  });
}
