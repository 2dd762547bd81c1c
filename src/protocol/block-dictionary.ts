/**
 * The distinct strings of a column, each once, in the order they came first: a record then holds a number. Where keys repeat,
 * most records cost a look into a hash table, and a reader gets the same string object for the same key.
 *
 * Open addressing over typed arrays; strings are compared with the bytes in the text. What is in it, and in which order, depends
 * on the strings alone, not on their hashes. So these may change: hashes that a caller knows are taken as long as all are known;
 * with the first that is not, or where strings come that were made to have one hash, all are hashed anew, by a seed of our own.
 */
import { free, grownUint32, markBytes, TextBuffer } from "./block-text.ts";
import { hashString, unknownHash } from "./hash.ts";

/** Strings that a dictionary may have: ids of two bytes. */
export const dictionaryStringsMax = 65_536;
/** Longer strings belong into no dictionary: hashing and comparing costs more than copying. */
export const dictionaryUnitsMax = 64;
/** Estimated bytes of memory of a string besides its text: mark, place, hash, and two slots of the table. */
export const dictionaryEntryBytes = 24;

const startSlots = 1024;
/** More steps than chance explains, at most half full. */
const probesMax = 256;
/** Nobody can make strings whose hashes are equal by a seed that nobody knows. */
const ownSeed = Math.floor(Math.random() * 2 ** 31);

export class Dictionary {
  /** Number of strings. */
  size = 0;
  /** Of each string. */
  marks: Uint32Array = new Uint32Array(startSlots / 2);
  /** Where each string begins in the text. */
  starts: Uint32Array = new Uint32Array(startSlots / 2);
  readonly text = new TextBuffer();
  #hashes: Uint32Array = new Uint32Array(startSlots / 2);
  #numbers: Uint32Array = new Uint32Array(0);
  /** Ids plus one; 0 is free. */
  #slots = new Uint32Array(startSlots);
  /** Hashes are the caller's. */
  #isGiven = true;

  /** Id of a string, which is added if it is new. Hashes that a caller knows are of one seed. */
  idOf(text: string, knownHash: number): number {
    if (knownHash === unknownHash && this.#isGiven) this.#hashAnew();
    const hash = (this.#isGiven ? knownHash : hashString(text, ownSeed)) | 0;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    let probes = 0;
    for (let id = slots[slot] as number; id !== 0; id = slots[slot] as number) {
      if (((this.#hashes[id - 1] as number) | 0) === hash && this.#holds(id - 1, text)) return id - 1;
      if (++probes > probesMax && this.#isGiven) {
        this.#hashAnew();
        return this.idOf(text, unknownHash);
      }
      slot = (slot + 1) & mask;
    }
    return this.#add(text, hash, slot);
  }

  /** A number for each string, all 0: for a writer, who leaves them so. */
  blankNumbers(): Uint32Array {
    if (this.#numbers.length < this.size) this.#numbers = new Uint32Array(this.marks.length);
    return this.#numbers;
  }

  /** Forgets the strings, and keeps the memory. */
  clear(): void {
    if (this.size > 0) this.#slots.fill(0);
    this.size = 0;
    this.#isGiven = true;
    this.text.clear();
  }

  release(): void {
    this.clear();
    this.text.release();
    for (const array of [this.marks, this.starts, this.#hashes, this.#numbers, this.#slots]) {
      free(array);
    }
  }

  #holds(id: number, text: string): boolean {
    const mark = this.marks[id] as number;
    const { length } = text;
    if (mark >>> 1 !== length) return false;
    const { bytes } = this.text;
    let at = this.starts[id] as number;
    if ((mark & 1) === 0) {
      for (let i = 0; i < length; i++) if (bytes[at++] !== text.charCodeAt(i)) return false;
      return true;
    }
    for (let i = 0; i < length; i++, at += 2) {
      if (((bytes[at] as number) | ((bytes[at + 1] as number) << 8)) !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  #add(text: string, hash: number, slot: number): number {
    const id = this.size++;
    if (id === this.marks.length) {
      this.marks = grownUint32(this.marks);
      this.starts = grownUint32(this.starts);
      this.#hashes = grownUint32(this.#hashes);
    }
    this.starts[id] = this.text.length;
    this.marks[id] = this.text.appendNow(text);
    this.#hashes[id] = hash;
    this.#slots[slot] = id + 1;
    if (this.size * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    return id;
  }

  #hashAnew(): void {
    this.#isGiven = false;
    if (this.size === 0) return;
    for (let id = 0; id < this.size; id++) this.#hashes[id] = hashString(this.#textOf(id), ownSeed);
    this.#rehash(this.#slots.length);
  }

  #textOf(id: number): string {
    const start = this.starts[id] as number;
    const mark = this.marks[id] as number;
    return this.text.bytes.toString((mark & 1) === 0 ? "latin1" : "utf16le", start, start + markBytes(mark));
  }

  #rehash(length: number): void {
    const slots = new Uint32Array(length);
    const mask = slots.length - 1;
    for (let id = 0; id < this.size; id++) {
      let slot = (this.#hashes[id] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
  }
}
