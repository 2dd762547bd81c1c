/**
 * Part of an object of lines: the lines that begin at an offset from FROM up to, not including, TO. So the parts `0-a`, `a-b`, `b-end`
 * hold each of its lines once, wherever the cuts fall. It is fed the bytes from `start` on.
 */
const newline = 10;

export class LinePart {
  /** Of the first byte to feed: one byte early, since a line begins at FROM if the byte before ends one. */
  readonly start: number;
  readonly #to: number;
  #at: number;
  #isSearching: boolean;
  /** Nothing more is needed. */
  isDone: boolean;

  constructor(from: number, to: number) {
    this.start = Math.max(0, from - 1);
    this.#at = this.start;
    this.#to = to;
    this.#isSearching = from > 0;
    this.isDone = to <= from;
  }

  /** What of the next bytes belongs to the part; empty: none of them. */
  take(chunk: Uint8Array): Uint8Array {
    const begin = this.#begin(chunk);
    const at = this.#at;
    this.#at += chunk.length;
    if (begin === null || this.isDone) return chunk.subarray(0, 0);
    if (this.#at < this.#to) return chunk.subarray(begin);
    // The last line of the part ends at the first line end at or after TO - 1.
    const last = chunk.indexOf(newline, Math.max(begin, this.#to - 1 - at));
    if (last === -1) return chunk.subarray(begin);
    this.isDone = true;
    return chunk.subarray(begin, last + 1);
  }

  /** Where in the chunk the part's lines begin. */
  #begin(chunk: Uint8Array): number | null {
    if (!this.#isSearching) return 0;
    const first = chunk.indexOf(newline);
    const begin = first + 1;
    if (this.#at + (first === -1 ? chunk.length : begin) >= this.#to) this.isDone = true;
    if (first === -1) return null;
    this.#isSearching = false;
    return begin;
  }
}
