/**
 * `sort: "merge"`: inputs that the user declares sorted are merged as they are read, a record of each in memory. An input
 * that is not sorted would give groups twice, silently: so it is checked, and refused.
 */
import { inspect } from "node:util";
import { DataError } from "../../errors.ts";
import { compareValues } from "../../protocol/order.ts";
import { type Batch, Records, type SortedSource } from "./batch.ts";
import { MergeTree } from "./merge-tree.ts";
import { asPair } from "./pair.ts";

/** One input. `url` is for messages. */
export interface SortedInput<K, V> {
  readonly url?: string;
  readonly pairs: Iterable<readonly [K, V]>;
}

/** Of equal keys, those of the earlier input come first. Inputs are closed when the result is left early. */
export function mergeSorted<K, V>(inputs: readonly (Iterable<readonly [K, V]> | SortedInput<K, V>)[]): Records<K, V> {
  const sources = inputs.map((input, index) => {
    const named = Symbol.iterator in input ? { pairs: input } : input;
    return new CheckedSource(named.pairs, named.url ?? `input ${index}`);
  });
  const tree = new MergeTree(sources);
  return new Records<K, V>({
    nextBatch: () => tree.nextBatch(),
    close: () => {
      tree.close();
      for (const source of sources) source.close();
    },
  });
}

class CheckedSource implements SortedSource {
  readonly #iterable: Iterable<unknown>;
  readonly #url: string;
  #iterator: Iterator<unknown> | null = null;
  #ended = false;
  #previous: unknown;
  #records = 0;

  constructor(iterable: Iterable<unknown>, url: string) {
    this.#iterable = iterable;
    this.#url = url;
  }

  next(): Batch | null {
    if (this.#ended) return null;
    this.#iterator ??= this.#iterable[Symbol.iterator]();
    const result = this.#iterator.next();
    if (result.done === true) {
      this.#ended = true;
      return null;
    }
    const [key, value] = asPair(result.value);
    if (this.#records > 0 && compareValues(this.#previous, key) > 0) throw this.#unsorted(key);
    this.#previous = key;
    this.#records++;
    return { keys: [key], values: [value], n: 1 };
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#iterator?.return?.();
  }

  #unsorted(key: unknown): DataError {
    const show = (value: unknown) =>
      inspect(value, { depth: 2, maxStringLength: 80, breakLength: Number.POSITIVE_INFINITY });
    const message = `${this.#url} is not sorted: record ${this.#records} has key ${show(key)} after ${show(this.#previous)}`;
    const hint = "Use sort: true, or sort the input by code point (numbers numerically) first.";
    return new DataError(message, { code: "not-sorted", retry: "never", url: this.#url, hint });
  }
}
