/**
 * A hash table whose keys are bytes: what a text repeats is found again without making a string of it.
 *
 *   slots    four int32 a slot: bytes 0-3 and 4-7 of the key (0 where it is shorter), its length + 1 (0: empty), its id
 *   arena    the bytes of all keys, one after the other
 *   entries  by id, which is the order in which keys came first: where its bytes lie, its hash, its count
 *
 * Keys of up to 8 bytes, which most words are, are told apart within the slot. Open addressing with linear probing, at most half full.
 * `word-scan.ts` probes by itself, in its loop; what it shares with this file is `mixHash` and the layout of a slot.
 *
 * The hash has a seed of its own in each process: words that somebody made to have one hash would be looked for one after the other.
 * Nothing that is written depends on it.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";

const slotsMin = 4096;
/** Memory of an entry besides its bytes: slots at their emptiest, and the columns. */
const entryBytes = 96;

export class ByteTable {
  slots = new Int32Array(slotsMin * 4);
  /** Number of slots - 1. */
  mask = slotsMin - 1;
  /** How often each key came, for those who count. */
  counts = new Float64Array(slotsMin / 2);
  size = 0;
  #starts = new Int32Array(slotsMin / 2);
  #lengths = new Int32Array(slotsMin / 2);
  #hashes = new Int32Array(slotsMin / 2);
  #arena: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  #used = 0;

  /** Estimated memory, from the keys alone. */
  get bytes(): number {
    return this.size * entryBytes + this.#used;
  }

  /** The id of a key, which is added if it is new. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const first = word(bytes, start, Math.min(4, length));
    const second = length > 4 ? word(bytes, start + 4, Math.min(4, length - 4)) : 0;
    let rest = 0;
    if (length >= 8) {
      let at = start + 8;
      for (; at + 4 <= end; at += 4) rest = Math.imul(rest ^ word(bytes, at, 4), restPrime);
      rest = Math.imul(rest ^ word(bytes, at, end - at), restPrime);
    }
    const hash = mixHash(first, second, length, rest);
    const { slots, mask } = this;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slot << 2;
      const found = slots[at + 2] as number;
      if (found === 0) return this.insert(at, first, second, length, hash, bytes, start);
      if (found !== length + 1 || slots[at] !== first || slots[at + 1] !== second) continue;
      const id = slots[at + 3] as number;
      if (length <= 8 || this.hasRest(id, bytes, start, length)) return id;
    }
  }

  /** Whether key `id`, of the same length and the same first 8 bytes, is the same in the rest. */
  hasRest(id: number, bytes: Uint8Array, start: number, length: number): boolean {
    const arena = this.#arena;
    const from = this.#starts[id] as number;
    for (let i = 8; i < length; i++) if (arena[from + i] !== bytes[start + i]) return false;
    return true;
  }

  /** Adds a key at an empty slot, of which `at` is the index in `slots`; returns its id. `slots`, `mask` and `counts` may change. */
  insert(
    at: number,
    first: number,
    second: number,
    length: number,
    hash: number,
    bytes: Uint8Array,
    start: number,
  ): number {
    const id = this.size++;
    const { slots } = this;
    slots[at] = first;
    slots[at + 1] = second;
    slots[at + 2] = length + 1;
    slots[at + 3] = id;
    if (this.#used + length > this.#arena.length) this.#growArena(length);
    this.#arena.set(bytes.subarray(start, start + length), this.#used);
    this.#starts[id] = this.#used;
    this.#lengths[id] = length;
    this.#hashes[id] = hash;
    this.counts[id] = 0;
    this.#used += length;
    if (this.size === this.#starts.length) this.#growSlots();
    return id;
  }

  /** All keys as text, in the order of their ids. Bytes that are not UTF-8 become U+FFFD. */
  *texts(): Generator<string, void, undefined> {
    const used = this.#arena.subarray(0, this.#used);
    const ascii = isAscii(used) ? used.toString("latin1") : null;
    for (let id = 0; id < this.size; id++) {
      const start = this.#starts[id] as number;
      const end = start + (this.#lengths[id] as number);
      yield ascii === null ? used.toString("utf8", start, end) : ascii.slice(start, end);
    }
  }

  /** Whether any key holds bytes that are not UTF-8, or U+FFFD itself, which stands for them. */
  hasReplaced(): boolean {
    const used = this.#arena.subarray(0, this.#used);
    return !isAscii(used) && (!isUtf8(used) || used.includes("\ufffd"));
  }

  text(id: number): string {
    const start = this.#starts[id] as number;
    return this.#arena.toString("utf8", start, start + (this.#lengths[id] as number));
  }

  clear(): void {
    this.slots.fill(0);
    this.size = 0;
    this.#used = 0;
  }

  #growArena(length: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#arena.length * 2, this.#used + length));
    this.#arena.copy(grown, 0, 0, this.#used);
    this.#arena = grown;
  }

  #growSlots(): void {
    const old = this.slots;
    const capacity = (this.mask + 1) * 2;
    const slots = new Int32Array(capacity * 4);
    const mask = capacity - 1;
    for (let from = 0; from < old.length; from += 4) {
      if (old[from + 2] === 0) continue;
      let slot = (this.#hashes[old[from + 3] as number] as number) & mask;
      while (slots[(slot << 2) + 2] !== 0) slot = (slot + 1) & mask;
      const to = slot << 2;
      for (let i = 0; i < 4; i++) slots[to + i] = old[from + i] as number;
    }
    this.slots = slots;
    this.mask = mask;
    this.#starts = enlarged(this.#starts, capacity / 2);
    this.#lengths = enlarged(this.#lengths, capacity / 2);
    this.#hashes = enlarged(this.#hashes, capacity / 2);
    const counts = new Float64Array(capacity / 2);
    counts.set(this.counts);
    this.counts = counts;
  }
}

/** Mixes the words behind the first 8 bytes. The last of them, of 0-3 bytes, is always mixed in. */
export const restPrime = 0x5bd1e995;

const random = randomBytes(8);
const seed = random.readInt32LE(0);
const secondSeed = random.readInt32LE(4);

/** An int32 of a key: of its first 8 bytes, its length, and what was mixed of the rest. */
export function mixHash(first: number, second: number, length: number, rest: number): number {
  let h = Math.imul(first ^ rest ^ seed, 0x9e3779b1) ^ Math.imul((second + length) ^ secondSeed, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return h ^ (h >>> 13);
}

/** Up to 4 bytes, the first one lowest. */
function word(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value |= (bytes[at + i] as number) << (8 * i);
  return value;
}

function enlarged(column: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(length);
  grown.set(column);
  return grown;
}
