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
import { radix } from "./radix-sort.ts";

/** Groups of equal prefixes up to this size are sorted by comparison. */
const compareMax = 24;
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

function sortNumbers(keys: readonly number[], order: Uint32Array, n: number): void {
  radix.reserve(n);
  const { high, low } = radix;
  for (let i = 0; i < n; i++) {
    orderBits(keys[i] as number);
    high[i] = numberHigh;
    low[i] = numberLow;
  }
  radix.sort(n);
  order.set(radix.indices.subarray(0, n));
}

function sortMixed(keys: readonly unknown[], order: Uint32Array, n: number): void {
  radix.reserve(n);
  const { high, low } = radix;
  for (let i = 0; i < n; i++) {
    const prefix = keyPrefix(keys[i]);
    high[i] = Math.floor(prefix / 0x100000);
    low[i] = (prefix % 0x100000) << 12;
  }
  radix.sort(n);
  order.set(radix.indices.subarray(0, n));
  for (const [start, end] of radix.ties(0, n)) compareSort(keys, order, start, end);
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
  radix.reserve(n);
  const { high, low } = radix;
  for (let i = 0; i < n; i++) {
    const prefix = stringPrefix(keys[order[start + i] as number] as string, shared);
    high[i] = Math.floor(prefix / 0x10000);
    low[i] = (prefix % 0x10000) << 16;
  }
  radix.sort(n);
  radix.permute(order, start, n);
  for (const [tieStart, tieEnd] of radix.ties(start, n)) sortStrings(keys, order, tieStart, tieEnd, shared, depth + 1);
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
