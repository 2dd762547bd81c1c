/**
 * Sorts strings that lie as bytes in a buffer, by code point, without making strings of them.
 *
 * Narrow strings (latin1) compare as their bytes do. Of wide ones each unit is moved to its place in the order of code points
 * (`codePointOrder`). Six bytes, or three units where any string is wide, are the prefix of a radix sort; what is equal so
 * far is sorted again, behind the part that these strings share.
 */
import { codePointOrder } from "../../protocol/order.ts";
import { radix } from "./radix-sort.ts";

/** Groups of equal prefixes up to this size are sorted by comparison. */
const compareMax = 24;
/** Adversarial strings ("a", "aa", "aaa" …) would recurse once a few bytes: sorted by comparison from here on. */
const depthMax = 32;
/** Strings of one width that may have more than so many units in common are compared by Node: a call, but eight bytes at a time. */
const longUnits = 128;

/** Strings as bytes; numbered by their place in `starts` and `marks`. */
export class TextKeys {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly marks: Uint32Array;
  readonly #buffer: Buffer;

  constructor(bytes: Uint8Array, starts: Uint32Array, marks: Uint32Array) {
    this.bytes = bytes;
    this.starts = starts;
    this.marks = marks;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Length in units. */
  length(i: number): number {
    return (this.marks[i] as number) >>> 1;
  }

  /** Place of a unit in the order of code points. */
  unit(i: number, at: number): number {
    const start = this.starts[i] as number;
    if (((this.marks[i] as number) & 1) === 0) return this.bytes[start + at] as number;
    const low = start + at * 2;
    return codePointOrder((this.bytes[low] as number) | ((this.bytes[low + 1] as number) << 8));
  }

  /** Negative, 0 or positive; the first `from` units are known to be equal. */
  compare(a: number, b: number, from: number): number {
    const length = Math.min(this.length(a), this.length(b));
    const at = this.equalUpTo(a, b, from, length);
    return at < length ? this.unit(a, at) - this.unit(b, at) : this.length(a) - this.length(b);
  }

  /** The first unit from `from` on that differs; `to` where none below it does. Both strings have `to` units. */
  equalUpTo(a: number, b: number, from: number, to: number): number {
    let at = from;
    if (to - at > longUnits) at = this.#equalPieces(a, b, at, to);
    while (at < to && this.unit(a, at) === this.unit(b, at)) at++;
    return at;
  }

  /** Up to where pieces of both are the same bytes: then what differs is near. Pieces double while they are the same. */
  #equalPieces(a: number, b: number, from: number, to: number): number {
    const wide = (this.marks[a] as number) & 1;
    if (wide !== ((this.marks[b] as number) & 1)) return from;
    const [startA, startB] = [this.starts[a] as number, this.starts[b] as number];
    let at = from;
    for (let piece = longUnits; piece >= longUnits; ) {
      const end = at + piece;
      if (end <= to && this.#isSame(startA + (at << wide), startB + (at << wide), piece << wide)) {
        at = end;
        piece *= 2;
      } else {
        piece >>>= 1;
      }
    }
    return at;
  }

  #isSame(a: number, b: number, length: number): boolean {
    return this.#buffer.compare(this.#buffer, b, b + length, a, a + length) === 0;
  }
}

/** Sorts the indices `order[from]` up to `order[to]`; equal strings keep their order where the indices ascend. */
export function sortTexts(keys: TextKeys, order: Uint32Array, from: number, to: number): void {
  let all = 0;
  for (let i = from; i < to; i++) all |= keys.marks[order[i] as number] as number;
  sortRange(keys, (all & 1) === 0, order, from, to, 0, 0);
}

function sortRange(
  keys: TextKeys,
  isNarrow: boolean,
  order: Uint32Array,
  from: number,
  to: number,
  skip: number,
  depth: number,
): void {
  const n = to - from;
  if (n <= compareMax || depth > depthMax) {
    compareSort(keys, order, from, to, skip);
    return;
  }
  const shared = sharedUnits(keys, order, from, to, skip);
  if (shared < 0) return;
  radix.reserve(n);
  if (isNarrow) narrowPrefixes(keys, order, from, n, shared);
  else widePrefixes(keys, order, from, n, shared);
  radix.sort(n);
  radix.permute(order, from, n);
  for (const [start, end] of radix.ties(from, n)) sortRange(keys, isNarrow, order, start, end, shared, depth + 1);
}

function narrowPrefixes(keys: TextKeys, order: Uint32Array, from: number, n: number, shared: number): void {
  const { bytes, starts, marks } = keys;
  const { high, low } = radix;
  for (let i = 0; i < n; i++) {
    const index = order[from + i] as number;
    const at = (starts[index] as number) + shared;
    const left = ((marks[index] as number) >>> 1) - shared;
    if (left >= 6) {
      high[i] =
        ((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number);
      low[i] = ((bytes[at + 4] as number) << 24) | ((bytes[at + 5] as number) << 16);
    } else {
      let h = 0;
      let l = 0;
      for (let j = 0; j < left; j++) {
        if (j < 4) h |= (bytes[at + j] as number) << (24 - j * 8);
        else l |= (bytes[at + j] as number) << (56 - j * 8);
      }
      high[i] = h;
      low[i] = l;
    }
  }
}

function widePrefixes(keys: TextKeys, order: Uint32Array, from: number, n: number, shared: number): void {
  const { high, low } = radix;
  for (let i = 0; i < n; i++) {
    const index = order[from + i] as number;
    const left = keys.length(index) - shared;
    const unit = (j: number): number => (j < left ? keys.unit(index, shared + j) : 0);
    high[i] = unit(0) * 0x10000 + unit(1);
    low[i] = unit(2) * 0x10000;
  }
}

/** Units that all the strings have in common; -1: they are all equal. `skip` of them are known to be. */
function sharedUnits(keys: TextKeys, order: Uint32Array, from: number, to: number, skip: number): number {
  const first = order[from] as number;
  let shared = keys.length(first);
  let areEqual = true;
  for (let i = from + 1; i < to; i++) {
    const other = order[i] as number;
    const length = keys.length(other);
    if (length !== keys.length(first)) areEqual = false;
    if (length < shared) shared = length;
    const at = keys.equalUpTo(first, other, skip, shared);
    if (at < shared) areEqual = false;
    shared = at;
    if (shared <= skip && !areEqual) return skip;
  }
  return areEqual ? -1 : shared;
}

function compareSort(keys: TextKeys, order: Uint32Array, from: number, to: number, skip: number): void {
  if (to - from > compareMax) {
    order.subarray(from, to).sort((a, b) => keys.compare(a, b, skip) || a - b);
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const index = order[i] as number;
    let j = i;
    for (; j > from && keys.compare(order[j - 1] as number, index, skip) > 0; j--) order[j] = order[j - 1] as number;
    order[j] = index;
  }
}
