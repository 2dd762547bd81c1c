/**
 * Sorts buffered records by their keys: their indices, by what the column of keys holds. No key becomes a string or an
 * object for it. The order is that of `compareValues`: of numbers all 8 bytes are sorted by; a dictionary's strings are
 * sorted once, and records by the rank of theirs; text is sorted by 6 bytes at a time, as `sort-order.ts` does with strings.
 */
import type { Column } from "../../protocol/block-column.ts";
import type { Dictionary } from "../../protocol/block-dictionary.ts";
import { numberHigh, numberLow, orderBits } from "../../protocol/order-prefix.ts";
import { radix } from "./radix-sort.ts";
import { sortedOrder } from "./sort-order.ts";
import { sortTexts, TextKeys } from "./text-order.ts";

/** Sorts the indices `order[from]` up to `order[to]` by key, stable if they ascend. `starts`, `bytes`: of the records' text. */
export function sortByKey(
  keys: Column,
  bytes: Uint8Array,
  starts: Uint32Array,
  order: Uint32Array,
  from: number,
  to: number,
): void {
  if (to - from < 2) return;
  switch (keys.kind) {
    case "text":
      sortTexts(new TextKeys(bytes, starts, keys.slots), order, from, to);
      break;
    case "dictionary":
      sortByRank(keys.slots, ranks(keys.dictionary as Dictionary), order, from, to);
      break;
    case "numbers":
      sortNumbers(keys.numbers, order, from, to);
      break;
    default:
      sortItems(keys.items, order, from, to);
  }
}

function sortNumbers(numbers: Float64Array, order: Uint32Array, from: number, to: number): void {
  const n = to - from;
  radix.reserve(n);
  const { high, low } = radix;
  for (let i = 0; i < n; i++) {
    orderBits(numbers[order[from + i] as number] as number);
    high[i] = numberHigh;
    low[i] = numberLow;
  }
  radix.sort(n);
  radix.permute(order, from, n);
}

/** Of each string of a dictionary: how many come before it. */
function ranks(dictionary: Dictionary): Uint32Array {
  const { size } = dictionary;
  const order = new Uint32Array(size);
  for (let i = 0; i < size; i++) order[i] = i;
  sortTexts(new TextKeys(dictionary.text.bytes, dictionary.starts, dictionary.marks), order, 0, size);
  const result = new Uint32Array(size);
  for (let i = 0; i < size; i++) result[order[i] as number] = i;
  return result;
}

function sortByRank(ids: Uint32Array, rank: Uint32Array, order: Uint32Array, from: number, to: number): void {
  const n = to - from;
  radix.reserve(n);
  const { high, low } = radix;
  for (let i = 0; i < n; i++) {
    high[i] = 0;
    low[i] = rank[ids[order[from + i] as number] as number] as number;
  }
  radix.sort(n);
  radix.permute(order, from, n);
}

function sortItems(items: readonly unknown[], order: Uint32Array, from: number, to: number): void {
  const indices = order.slice(from, to);
  const sorted = sortedOrder(Array.from(indices, (i) => items[i]));
  for (let i = 0; i < sorted.length; i++) order[from + i] = indices[sorted[i] as number] as number;
}
