/**
 * The buffer of a combiner that asks only for the key that it was called with (`combine-by-key.ts`): what it may call of a `Map`.
 *
 * A `Map` computes the hash of every new string and looks a key up for `get` and again for `set`; the partition of the key takes
 * another hash. Here a key is looked up once a call, by the hash that also decides its partition: 40 ns a short word, where a `Map`
 * takes 75 ns and the partition's hash 10 more.
 *
 * 1. Entries lie in arrays, in the order in which their keys came; a deleted one leaves a hole until the table grows.
 * 2. Short strings are found by open addressing: `slots` has the number of the entry. All other keys are in a `Map`: numbers, and
 *    long strings, whose hash V8 computes once a string and not once a call.
 * 3. A short string that is not placed within `probesMax` steps goes to the `Map` as well: keys that were made to have one hash
 *    cost no more than they do there.
 */
import { hashKey, hashString } from "../protocol/hash.ts";

const shortCharsMax = 32;
const probesMax = 64;
const slotsMin = 256;
const free = -1;
const absent = -1;
/** In the place of a deleted key. */
const hole = Symbol("hole");

export class KeyBuffer {
  readonly #seed: number;
  #keys: unknown[] = [];
  #values: unknown[] = [];
  /** As int32. */
  #hashes = new Int32Array(slotsMin / 2);
  #slots = new Int32Array(slotsMin).fill(free);
  #others = new Map<unknown, number>();
  /** Entries without holes. */
  size = 0;
  /** Whether `#at` is about the key of this call. */
  #isFound = false;
  #at = absent;
  /** Where the key would go: its hash, and its slot; `absent` when it belongs to the others. */
  #hash = 0;
  #slot = absent;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A call with another key begins. */
  begin(): void {
    this.#isFound = false;
  }

  get(key: unknown): unknown {
    const at = this.#find(key);
    return at === absent ? undefined : this.#values[at];
  }

  has(key: unknown): boolean {
    return this.#find(key) !== absent;
  }

  set(key: unknown, value: unknown): this {
    const at = this.#find(key);
    if (at === absent) this.#insert(key, value);
    else this.#values[at] = value;
    return this;
  }

  delete(key: unknown): boolean {
    const at = this.#find(key);
    if (at === absent) return false;
    this.#keys[at] = hole;
    this.#values[at] = undefined;
    this.#others.delete(key);
    this.size--;
    this.#isFound = false;
    return true;
  }

  clear(): void {
    this.#keys = [];
    this.#values = [];
    this.#others.clear();
    this.#slots.fill(free);
    this.size = 0;
    this.#isFound = false;
  }

  /** In the order in which keys came, with `hashKey` of each. */
  forEach(visit: (key: unknown, value: unknown, hash: number) => void): void {
    for (let at = 0; at < this.#keys.length; at++) {
      if (this.#keys[at] !== hole) visit(this.#keys[at], this.#values[at], (this.#hashes[at] as number) >>> 0);
    }
  }

  #find(key: unknown): number {
    if (this.#isFound) return this.#at;
    this.#isFound = true;
    if (typeof key === "string" && key.length <= shortCharsMax) {
      this.#at = this.#probe(key);
    } else {
      this.#slot = absent;
      this.#at = this.#others.get(key) ?? absent;
    }
    return this.#at;
  }

  #probe(key: string): number {
    const slots = this.#slots;
    const hashes = this.#hashes;
    const keys = this.#keys;
    const mask = slots.length - 1;
    const hash = hashString(key, this.#seed) | 0;
    this.#hash = hash;
    let slot = hash & mask;
    for (let probes = 0; probes < probesMax; probes++) {
      const at = slots[slot] as number;
      if (at === free) {
        this.#slot = slot;
        return absent;
      }
      if (hashes[at] === hash && keys[at] === key) return at;
      slot = (slot + 1) & mask;
    }
    this.#slot = absent;
    return this.#others.get(key) ?? absent;
  }

  #insert(key: unknown, value: unknown): void {
    if (this.#keys.length === this.#hashes.length) {
      this.#grow();
      this.#isFound = false;
      this.#find(key);
    }
    const at = this.#keys.length;
    // A map makes 0 of -0.
    this.#keys.push(key === 0 ? 0 : key);
    this.#values.push(value);
    if (this.#slot === absent) {
      this.#others.set(key, at);
      this.#hashes[at] = hashKey(key, this.#seed);
    } else {
      this.#slots[this.#slot] = at;
      this.#hashes[at] = this.#hash;
    }
    this.size++;
    this.#at = at;
  }

  /** Makes room for twice what there is, without the holes. */
  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    let slots = slotsMin;
    while (slots < this.size * 4) slots *= 2;
    this.#slots = new Int32Array(slots).fill(free);
    this.#hashes = new Int32Array(slots / 2);
    this.#keys = [];
    this.#values = [];
    this.#others = new Map();
    this.size = 0;
    for (const [i, key] of keys.entries()) {
      if (key === hole) continue;
      this.#isFound = false;
      this.#find(key);
      this.#insert(key, values[i]);
    }
  }
}
