/**
 * The states of a built-in fold by key, for keys and values of any type: open addressing over the hash that partitions have, which is
 * so computed once for both. Keys are the same where `sameKey` says so, which for objects is by contents.
 *
 * Entries are numbered in the order in which their keys came first, and are given out in that order. Strings that are not placed within
 * `probesMax` steps are in a `Map`: those that were made to have one hash cost no more than they do there.
 */
import { type FoldRule, foldRules } from "../../fn/fold-rules.ts";
import { hashKey } from "../../protocol/hash.ts";
import { sameKey } from "../../protocol/order.ts";
import { ownText } from "../../protocol/own-text.ts";
import { snapshot } from "../../protocol/value-snapshot.ts";
import { hashedKey } from "../key-hash.ts";
import { roughBytes } from "../rough-size.ts";

const slotsMin = 1024;
const probesMax = 64;
/** Memory of an entry besides what its key and its state hold: slots at their emptiest, and the columns. */
const entryBytes = 64;

export class FoldTable {
  readonly #rule: FoldRule;
  readonly #seed: number;
  /** What a function emits it may change afterwards: objects are copied. Else strings are, which may be slices of what was read. */
  readonly #copies: boolean;
  /** Two int32 a slot: hash, id + 1 (0: empty). */
  #slots = new Int32Array(slotsMin * 2);
  #mask = slotsMin - 1;
  #keys: unknown[] = [];
  #states: unknown[] = [];
  #hashes = new Int32Array(slotsMin / 2);
  /** Ids of strings that are in no slot. */
  readonly #others = new Map<string, number>();
  #size = 0;
  /** Estimated memory, from the records alone. */
  bytes = 0;

  constructor(rule: FoldRule, options: { readonly seed: number; readonly copies: boolean }) {
    this.#rule = rule;
    this.#seed = options.seed;
    this.#copies = options.copies;
  }

  get size(): number {
    return this.#size;
  }

  /** Folds a value into the state of its key. @throws DiscoError `bad-value` for one that the fold cannot take. */
  add(key: unknown, value: unknown): void {
    const id = this.#find(key);
    const states = this.#states;
    if (id === states.length) {
      this.#start(this.#rule, value, key);
      return;
    }
    const state = states[id];
    if (this.#rule === foldRules.sum && typeof state === "number" && typeof value === "number") {
      states[id] = state + value;
    } else {
      this.#change(id, state, this.#rule.add(state, value, key));
    }
  }

  /** Adds a pair of a set of pairs: of each key the table keeps the first value. `false`: it has another. */
  addFirst(key: unknown, value: unknown): boolean {
    const id = this.#find(key);
    if (id < this.#states.length) return sameKey(this.#states[id], value);
    this.#start(foldRules.first, value, key);
    return true;
  }

  /** Gives all entries to `take`, with `hashKey(key, seed)`, and is empty then. */
  drain(take: (key: unknown, state: unknown, hash: number) => void): void {
    const keys = this.#keys;
    const states = this.#states;
    for (let id = 0; id < keys.length; id++) take(keys[id], states[id], (this.#hashes[id] as number) >>> 0);
    this.#slots.fill(0);
    this.#others.clear();
    this.#keys = [];
    this.#states = [];
    this.#size = 0;
    this.bytes = 0;
  }

  /** The id of a key; a new key's is the number of states until `#start`. */
  #find(key: unknown): number {
    const hash = (typeof key === "string" ? hashKey(key, this.#seed) : hashedKey(key, this.#seed)) | 0;
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    for (let probes = 0; ; slot = (slot + 1) & mask, probes++) {
      if (probes >= probesMax && typeof key === "string") return this.#others.get(key) ?? this.#insert(-1, hash, key);
      const found = slots[slot * 2 + 1] as number;
      if (found === 0) return this.#insert(slot, hash, key);
      if (slots[slot * 2] !== hash) continue;
      const other = this.#keys[found - 1];
      if (other === key || (typeof key !== "string" && sameKey(other, key))) return found - 1;
    }
  }

  #insert(slot: number, hash: number, key: unknown): number {
    const id = this.#size;
    // First, because it may throw.
    this.#keys.push(this.#copy(key, "key"));
    this.#size++;
    if (slot < 0) {
      this.#others.set(key as string, id);
    } else {
      this.#slots[slot * 2] = hash;
      this.#slots[slot * 2 + 1] = id + 1;
    }
    this.#hashes[id] = hash;
    this.bytes += entryBytes + roughBytes(key);
    if (this.#size === this.#hashes.length) this.#grow();
    return id;
  }

  /** The first value of the key that has just been added. Where it can be no state, the key goes again: whoever emitted it may go on. */
  #start(rule: FoldRule, value: unknown, key: unknown): void {
    try {
      const state = rule.start(value, key);
      this.#states.push(this.#copy(state, "value"));
      if (typeof state !== "number") this.bytes += roughBytes(state);
    } catch (error) {
      this.#removeLast(key);
      throw error;
    }
  }

  #removeLast(key: unknown): void {
    const id = --this.#size;
    this.#keys.pop();
    this.bytes -= entryBytes + roughBytes(key);
    if (typeof key === "string" && this.#others.delete(key)) return;
    // No other key was placed behind it.
    const mask = this.#mask;
    let slot = (this.#hashes[id] as number) & mask;
    while (this.#slots[slot * 2 + 1] !== id + 1) slot = (slot + 1) & mask;
    this.#slots[slot * 2 + 1] = 0;
  }

  #change(id: number, before: unknown, state: unknown): void {
    if (state === before) return;
    this.#states[id] = this.#copy(state, "value");
    if (typeof before !== "number") this.bytes -= roughBytes(before);
    if (typeof state !== "number") this.bytes += roughBytes(state);
  }

  #copy(item: unknown, name: string): unknown {
    if (!this.#copies) return owned(item);
    return isObject(item) ? snapshot(item, name) : item;
  }

  #grow(): void {
    const capacity = (this.#mask + 1) * 2;
    const slots = new Int32Array(capacity * 2);
    const mask = capacity - 1;
    this.#others.clear();
    for (let id = 0; id < this.#size; id++) {
      const hash = this.#hashes[id] as number;
      const key = this.#keys[id];
      let slot = hash & mask;
      let probes = 0;
      for (; slots[slot * 2 + 1] !== 0; slot = (slot + 1) & mask) {
        if (++probes >= probesMax && typeof key === "string") break;
      }
      if (probes >= probesMax && typeof key === "string") {
        this.#others.set(key, id);
        continue;
      }
      slots[slot * 2] = hash;
      slots[slot * 2 + 1] = id + 1;
    }
    const hashes = new Int32Array(capacity / 2);
    hashes.set(this.#hashes);
    this.#slots = slots;
    this.#mask = mask;
    this.#hashes = hashes;
  }
}

/** Without the texts that strings were cut out of, also those of a pair of them. */
function owned(item: unknown): unknown {
  if (typeof item === "string") return ownText(item);
  return Array.isArray(item) ? item.map((each: unknown) => (typeof each === "string" ? ownText(each) : each)) : item;
}

function isObject(value: unknown): boolean {
  return (typeof value === "object" && value !== null) || typeof value === "function" || typeof value === "symbol";
}
