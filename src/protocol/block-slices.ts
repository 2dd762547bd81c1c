/** Strings out of a block's text: one narrow and one wide string for all of it, and each string is a slice of one of them. */
import { DataError } from "../errors.ts";
import { formWide } from "./block-kinds.ts";

export interface Marks {
  /** Twice the length in units, plus one for a wide string. */
  readonly marks: Uint32Array;
  /** Where the list ends. */
  readonly end: number;
}

/** Reads a list of marks (`block-kinds.ts`). @throws DataError `bad-block`. */
export function readMarks(payload: Buffer, from: number, to: number, count: number): Marks {
  const form = from < to ? (payload[from] as number) : 0xff;
  const width = form & ~formWide;
  const shift = (form & formWide) === 0 ? 1 : 0;
  const at = from + 1;
  const end = at + (width === 0 ? 4 : width * count);
  if (width > 4 || width === 3 || end > to) throw bad("list of lengths is damaged", from);
  if (width === 0) return { marks: new Uint32Array(count).fill(payload.readUInt32LE(at) << shift), end };
  const marks = readInts(payload, at, width, count);
  if (shift === 1) for (let i = 0; i < count; i++) marks[i] = (marks[i] as number) << 1;
  return { marks, end };
}

/** Unsigned integers of 1, 2 or 4 bytes; they are known to be there. */
export function readInts(payload: Buffer, from: number, width: number, count: number): Uint32Array {
  const ints = new Uint32Array(count);
  let at = from;
  if (width === 1) for (let i = 0; i < count; i++) ints[i] = payload[at++] as number;
  else if (width === 2) {
    for (let i = 0; i < count; i++, at += 2) ints[i] = (payload[at] as number) | ((payload[at + 1] as number) << 8);
  } else for (let i = 0; i < count; i++, at += 4) ints[i] = payload.readUInt32LE(at);
  return ints;
}

/** Takes strings from a text, in order. A text is: narrow length u32, narrow bytes, wide bytes. */
export class TextSlices {
  readonly #from: number;
  readonly #narrow: string;
  readonly #wide: string;
  #narrowAt = 0;
  #wideAt = 0;

  constructor(payload: Buffer, from: number, to: number) {
    this.#from = from;
    if (from + 4 > to) throw bad("text ends early", from);
    const narrow = payload.readUInt32LE(from);
    const wideFrom = from + 4 + narrow;
    if (wideFrom > to || (to - wideFrom) % 2 !== 0) throw bad("text ends early", from);
    this.#narrow = payload.toString("latin1", from + 4, wideFrom);
    this.#wide = payload.toString("utf16le", wideFrom, to);
  }

  strings(marks: Uint32Array): string[] {
    const items = new Array<string>(marks.length);
    const text = this.#narrow;
    let at = this.#narrowAt;
    for (let i = 0; i < marks.length; i++) {
      const mark = marks[i] as number;
      if ((mark & 1) === 0) {
        const start = at;
        at += mark >>> 1;
        items[i] = text.substring(start, at);
      } else items[i] = this.#nextWide(mark);
    }
    this.#narrowAt = at;
    return items;
  }

  /** Two strings in turn. */
  pairs(first: Uint32Array, second: Uint32Array): [string[], string[]] {
    const count = first.length;
    const firsts = new Array<string>(count);
    const seconds = new Array<string>(count);
    const text = this.#narrow;
    let at = this.#narrowAt;
    for (let i = 0; i < count; i++) {
      const a = first[i] as number;
      const b = second[i] as number;
      if ((a & 1) === 0) {
        const start = at;
        at += a >>> 1;
        firsts[i] = text.substring(start, at);
      } else firsts[i] = this.#nextWide(a);
      if ((b & 1) === 0) {
        const start = at;
        at += b >>> 1;
        seconds[i] = text.substring(start, at);
      } else seconds[i] = this.#nextWide(b);
    }
    this.#narrowAt = at;
    return [firsts, seconds];
  }

  /** All of the text has been taken, and no more. */
  end(): void {
    if (this.#narrowAt !== this.#narrow.length || this.#wideAt !== this.#wide.length) {
      throw bad("lengths of strings do not add up", this.#from);
    }
  }

  #nextWide(mark: number): string {
    const start = this.#wideAt;
    this.#wideAt += mark >>> 1;
    return this.#wide.substring(start, this.#wideAt);
  }
}

function bad(what: string, offset: number): DataError {
  return new DataError(`damaged block: ${what} at byte ${offset} of its contents`, { code: "bad-block" });
}
