/**
 * What each fold does to the values of one key, in the order in which they come:
 *
 *   start    the state after the first value
 *   add      the state after one more
 *   merge    the state after all that another state stands for, which come later
 *
 * A state is a value that the fold may emit, so that states of different places (a combiner's, a spilled table's) are merged as they
 * stand.
 */
import { inspect } from "node:util";
import { DiscoError } from "../errors.ts";
import { compareValues } from "../protocol/order.ts";

export type FoldName = "sum" | "count" | "min" | "max" | "first" | "last";

export interface FoldRule {
  readonly name: FoldName;
  /** @throws DiscoError `bad-value` for a value that the fold cannot take. */
  start(value: unknown, key: unknown): unknown;
  add(state: unknown, value: unknown, key: unknown): unknown;
  merge(state: unknown, later: unknown, key: unknown): unknown;
}

const sum: FoldRule = { name: "sum", start: addend, add: plus, merge: plus };

const count: FoldRule = { name: "count", start: () => 1, add: (state) => (state as number) + 1, merge: plus };

const least = (state: unknown, value: unknown): unknown => (compareValues(value, state) < 0 ? value : state);
const min: FoldRule = { name: "min", start: same, add: least, merge: least };

const greatest = (state: unknown, value: unknown): unknown => (compareValues(value, state) > 0 ? value : state);
const max: FoldRule = { name: "max", start: same, add: greatest, merge: greatest };

const keep = (state: unknown): unknown => state;
const first: FoldRule = { name: "first", start: same, add: keep, merge: keep };

const take = (_: unknown, value: unknown): unknown => value;
const last: FoldRule = { name: "last", start: same, add: take, merge: take };

export const foldRules: Readonly<Record<FoldName, FoldRule>> = { sum, count, min, max, first, last };

function same(value: unknown): unknown {
  return value;
}

function addend(value: unknown, key: unknown): unknown {
  if (typeof value !== "number" && typeof value !== "bigint") throw notANumber(value, key);
  return value;
}

function plus(state: unknown, value: unknown, key: unknown): unknown {
  if (typeof state === "number" && typeof value === "number") return state + value;
  if (typeof state === "bigint" && typeof value === "bigint") return state + value;
  addend(value, key);
  throw new DiscoError(`sum: the key ${shown(key)} has values of type ${typeof state} and ${typeof value}`, {
    code: "bad-value",
    hint: "Numbers and bigints do not add up: emit either the ones or the others.",
  });
}

function notANumber(value: unknown, key: unknown): DiscoError {
  return new DiscoError(`sum: the value ${shown(value)} of the key ${shown(key)} is neither a number nor a bigint`, {
    code: "bad-value",
    hint: "Emit numbers, or count, which takes any values.",
  });
}

function shown(value: unknown): string {
  return inspect(value, { depth: 1, maxArrayLength: 5, maxStringLength: 80, breakLength: Number.POSITIVE_INFINITY });
}
