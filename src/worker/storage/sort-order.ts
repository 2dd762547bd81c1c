/**
 * In which order records must be read so that their keys ascend: a permutation, stable.
 *
 * Keys are not moved or compared. Each gives an 8-byte prefix (two uint32 in typed arrays) whose unsigned order is that of
 * the keys, and the prefixes are sorted by a least-significant-digit radix sort that moves indices. Prefixes of numbers are
 * exact. Those of strings are 6 bytes behind the part that all of them share; keys with equal prefixes are sorted again by
 * themselves, behind the longer part that these share. Other types are compared in full where prefixes are equal.
 */
import { compareStrings, compareValues } from "../../protocol/order.ts";
import { keyPrefix, numberHigh, numberLow, orderBits, stringPrefix } from "../../protocol/order-prefix.ts";

/** Groups of equal prefixes up to this size are sorted by comparison. */
const compareMax = 24;
/** From so many keys on, digits of 16 bits are faster than digits of 8. */
const wideDigitsMin = 30_000;
/** Adversarial keys ("a", "aa", "aaa" …) would recurse once a few bytes: sorted by comparison from here on. */
const depthMax = 32;

/** Indices of `keys[0..n]` in ascending order of the keys; equal keys keep their order. */
export function sortedOrder(keys: readonly unknown[], n: number = keys.length): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  if (n < 2) return order;
  const kind = commonType(keys, n);
  if (kind === "string") sortStrings(keys as readonly string[], order, 0, n, 0, 0);
  else if (kind === "number") sortNumbers(keys as readonly number[], order, n);
  else sortMixed(keys, order, n);
  return order;
}

function commonType(keys: readonly unknown[], n: number): "string" | "number" | "mixed" {
  const first = typeof keys[0];
  if (first !== "string" && first !== "number") return "mixed";
  for (let i = 1; i < n; i++) if (typeof keys[i] !== first) return "mixed";
  return first;
}

/** Working space, kept between sorts. */
let high = new Uint32Array(0);
let low = new Uint32Array(0);
let from = new Uint32Array(0);
let to = new Uint32Array(0);
const wideCounts = new Uint32Array(65536);
const narrowCounts = new Uint32Array(256);

function reserve(n: number): void {
  if (high.length >= n) return;
  const size = Math.max(1024, n + (n >>> 2));
  high = new Uint32Array(size);
  low = new Uint32Array(size);
  from = new Uint32Array(size);
  to = new Uint32Array(size);
}

function sortNumbers(keys: readonly number[], order: Uint32Array, n: number): void {
  reserve(n);
  for (let i = 0; i < n; i++) {
    orderBits(keys[i] as number);
    high[i] = numberHigh;
    low[i] = numberLow;
  }
  radixSort(n);
  order.set(from.subarray(0, n));
}

function sortMixed(keys: readonly unknown[], order: Uint32Array, n: number): void {
  reserve(n);
  for (let i = 0; i < n; i++) {
    const prefix = keyPrefix(keys[i]);
    high[i] = Math.floor(prefix / 0x100000);
    low[i] = (prefix % 0x100000) << 12;
  }
  radixSort(n);
  order.set(from.subarray(0, n));
  for (const [start, end] of ties(0, n)) compareSort(keys, order, start, end);
}

function sortStrings(
  keys: readonly string[],
  order: Uint32Array,
  start: number,
  end: number,
  skip: number,
  depth: number,
): void {
  const n = end - start;
  if (n <= compareMax || depth > depthMax) {
    compareSort(keys, order, start, end);
    return;
  }
  const shared = sharedLength(keys, order, start, end, skip);
  if (shared < 0) return;
  reserve(n);
  for (let i = 0; i < n; i++) {
    const prefix = stringPrefix(keys[order[start + i] as number] as string, shared);
    high[i] = Math.floor(prefix / 0x10000);
    low[i] = (prefix % 0x10000) << 16;
  }
  radixSort(n);
  for (let i = 0; i < n; i++) to[i] = order[start + (from[i] as number)] as number;
  order.set(to.subarray(0, n), start);
  for (const [tieStart, tieEnd] of ties(start, n)) sortStrings(keys, order, tieStart, tieEnd, shared, depth + 1);
}

/** Units that all the strings have in common; -1: they are all equal. `skip` of them are known to be. */
function sharedLength(keys: readonly string[], order: Uint32Array, start: number, end: number, skip: number): number {
  const first = keys[order[start] as number] as string;
  let shared = first.length;
  let allEqual = true;
  for (let i = start + 1; i < end; i++) {
    const key = keys[order[i] as number] as string;
    if (key === first) continue;
    allEqual = false;
    if (key.length < shared) shared = key.length;
    let at = skip;
    while (at < shared && key.charCodeAt(at) === first.charCodeAt(at)) at++;
    shared = at;
    if (shared <= skip) return skip;
  }
  return allEqual ? -1 : shared;
}

/** Ranges of more than one key with the same prefix, after a radix sort of `n` keys; shifted by `start`. */
function ties(start: number, n: number): [number, number][] {
  const ranges: [number, number][] = [];
  let begin = 0;
  for (let i = 1; i <= n; i++) {
    if (i < n) {
      const a = from[begin] as number;
      const b = from[i] as number;
      if (high[a] === high[b] && low[a] === low[b]) continue;
    }
    if (i - begin > 1) ranges.push([start + begin, start + i]);
    begin = i;
  }
  return ranges;
}

function compareSort(keys: readonly unknown[], order: Uint32Array, start: number, end: number): void {
  const strings =
    typeof keys[order[start] as number] === "string" && typeof keys[order[end - 1] as number] === "string";
  const compare = strings ? compareEither : compareValues;
  if (end - start <= compareMax) {
    for (let i = start + 1; i < end; i++) {
      const index = order[i] as number;
      const key = keys[index];
      let j = i;
      for (; j > start && compare(keys[order[j - 1] as number], key) > 0; j--) order[j] = order[j - 1] as number;
      order[j] = index;
    }
    return;
  }
  order.subarray(start, end).sort((a, b) => compare(keys[a], keys[b]) || a - b);
}

function compareEither(a: unknown, b: unknown): number {
  if (a === b) return 0;
  return typeof a === "string" && typeof b === "string" ? compareStrings(a, b) : compareValues(a, b);
}

/** Leaves in `from` the indices 0..n in ascending order of (high, low), stable. */
function radixSort(n: number): void {
  for (let i = 0; i < n; i++) from[i] = i;
  const wide = n >= wideDigitsMin;
  const bits = wide ? 16 : 8;
  for (const words of [low, high]) {
    for (let shift = 0; shift < 32; shift += bits) radixPass(words, shift, wide ? wideCounts : narrowCounts, n);
  }
}

function radixPass(words: Uint32Array, shift: number, counts: Uint32Array, n: number): void {
  const mask = counts.length - 1;
  counts.fill(0);
  for (let i = 0; i < n; i++) {
    const digit = ((words[i] as number) >>> shift) & mask;
    counts[digit] = (counts[digit] as number) + 1;
  }
  // A digit that all keys share orders nothing.
  if (counts[((words[0] as number) >>> shift) & mask] === n) return;
  let sum = 0;
  for (let digit = 0; digit <= mask; digit++) {
    const count = counts[digit] as number;
    counts[digit] = sum;
    sum += count;
  }
  for (let i = 0; i < n; i++) {
    const index = from[i] as number;
    const digit = ((words[index] as number) >>> shift) & mask;
    const place = counts[digit] as number;
    counts[digit] = place + 1;
    to[place] = index;
  }
  [from, to] = [to, from];
}
