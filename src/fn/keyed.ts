/** A map by the keys of records: equal contents are one key (`sameKey`). In the order in which keys came first. */
import { hashKey } from "../protocol/hash.ts";
import { sameKey } from "../protocol/order.ts";

interface Entry<V> {
  readonly key: unknown;
  value: V;
}

export class Keyed<V> {
  /** Primitives: a `Map` finds them as `sameKey` does. */
  readonly #primitives = new Map<unknown, Entry<V>>();
  readonly #objects = new Map<number, Entry<V>[]>();
  readonly #entries: Entry<V>[] = [];

  get(key: unknown): Entry<V> | undefined {
    if (typeof key !== "object" || key === null) return this.#primitives.get(key);
    return this.#objects.get(hashKey(key, 0))?.find((entry) => sameKey(entry.key, key));
  }

  /** The key must not be there yet. */
  add(key: unknown, value: V): void {
    const entry = { key, value };
    this.#entries.push(entry);
    if (typeof key !== "object" || key === null) {
      this.#primitives.set(key, entry);
      return;
    }
    const hash = hashKey(key, 0);
    const chain = this.#objects.get(hash);
    if (chain === undefined) this.#objects.set(hash, [entry]);
    else chain.push(entry);
  }

  entries(): readonly Entry<V>[] {
    return this.#entries;
  }
}
