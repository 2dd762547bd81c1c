/**
 * Folds: functions over the values of each key. Each is a reduce, where it is called for all pairs, and all but `top` are combiners
 * too, where they are called for one (`combine.ts` has the protocol). What the engine does instead, where it knows that a function
 * is one of these, is in `worker/fold/`.
 */
import { DiscoError } from "../errors.ts";
import { sameKey } from "../protocol/order.ts";
import { own, ownFactory } from "../worker/own.ts";
import { type FoldRule, foldRules } from "./fold-rules.ts";
import type { CountFold, Fold, SumFold, SumReduce } from "./fold-type.ts";
import { Keyed } from "./keyed.ts";
import { noPairs } from "./no-pairs.ts";
import { TopPairs } from "./top-pairs.ts";

type Pair = [key: unknown, value: unknown];
type Pairs = Iterable<readonly [unknown, unknown]>;
type Args = readonly unknown[];

/**
 * The sum of the values of each key. Combiner and reduce; the seed's `sum_combiner` and `sum_reduce`.
 *
 * Values are numbers, added in the order in which they come, or bigints. @throws DiscoError `bad-value` naming key and value for any
 * other, and for a key that has both.
 */
export const sum = own("sum", foldOf("sum", foldRules.sum)) as SumFold;

/**
 * The number of pairs of each key, whatever their values. Combiner and reduce, but not both in one job: behind a combiner that
 * counts, the reduce is `sum`.
 */
export const count = own("count", foldOf("count", foldRules.count)) as CountFold;

/** The least value of each key, in the order of `sort` (numbers by size, NaN last; strings by code point). Combiner and reduce. */
export const min = own("min", foldOf("min", foldRules.min)) as Fold;

/** The greatest value of each key, in the order of `sort` (numbers by size, NaN last). Combiner and reduce. */
export const max = own("max", foldOf("max", foldRules.max)) as Fold;

/** The first value of each key: in the order of the inputs, and within one of them in the order of its entries. Combiner and reduce. */
export const first = own("first", foldOf("first", foldRules.first)) as Fold;

/** The last value of each key, in the order of `first`. Combiner and reduce. */
export const last = own("last", foldOf("last", foldRules.last)) as Fold;

/** Each different pair once: pairs with equal keys and equal values are one. Combiner and reduce. */
export const distinct = own("distinct", (...args: Args): unknown =>
  isCombiner(args) ? distinctPair(args) : overPairs("distinct", args, distinctPairs),
) as Fold;

const topMax = 1_000_000;

/**
 * A reduce: the `n` keys with the greatest sums of their values, `[key, sum]`, greatest first; of keys with equal sums those that
 * `sort` puts first. Of each partition: for one list use `partitions: 1`, which is the default. Its combiner is `sum`.
 *
 * Values as for `sum`. @throws DiscoError `bad-option` unless `n` is a whole number from 1 to 1,000,000 (they are kept in memory)
 */
export function top(n: number): SumReduce {
  if (!Number.isInteger(n) || n < 1 || n > topMax) {
    throw new DiscoError(`top(${String(n)}): a whole number from 1 to ${topMax.toLocaleString("en-US")} was expected`, {
      code: "bad-option",
    });
  }
  const reduce = (...args: Args): unknown => {
    if (isCombiner(args)) throw new DiscoError("top is a reduce, not a combiner", { code: "bad-option" });
    return overPairs(`top(${n})`, args, (pairs) => topPairs(pairs, n));
  };
  return own("top", reduce, [n]) as SumReduce;
}
ownFactory(top, "top(n)");

/** A combiner is called `(key, value, buffer, done, params)`, a reduce `(pairs, params)`. */
function isCombiner(args: Args): boolean {
  return args.length > 2 && args[2] instanceof Map;
}

function foldOf(name: string, rule: FoldRule) {
  return (...args: Args): unknown =>
    isCombiner(args) ? combine(rule, args) : overPairs(name, args, (pairs) => foldPairs(rule, pairs));
}

function combine(rule: FoldRule, [key, value, buffer, done]: Args): undefined {
  if (done === true) return;
  const states = buffer as Map<unknown, unknown>;
  states.set(key, states.has(key) ? rule.add(states.get(key), value, key) : rule.start(value, key));
}

/** The first value of a key waits in the buffer; others go out, to be looked at by the reduce. */
function distinctPair([key, value, buffer, done]: Args): Pair[] | undefined {
  if (done === true) return undefined;
  const values = buffer as Map<unknown, unknown>;
  if (values.has(key)) return sameKey(values.get(key), value) ? undefined : [[key, value]];
  values.set(key, value);
  return undefined;
}

function overPairs(name: string, args: Args, fold: (pairs: Pairs) => Iterable<Pair>): unknown {
  const [pairs] = args;
  if (typeof pairs === "object" && pairs !== null) {
    if (Symbol.iterator in pairs) return fold(pairs as Pairs);
    if (Symbol.asyncIterator in pairs) return overAsync(pairs as AsyncIterable<Pair>, fold);
  }
  throw noPairs(name, args);
}

async function* overAsync(
  pairs: AsyncIterable<Pair>,
  fold: (pairs: Pairs) => Iterable<Pair>,
): AsyncGenerator<Pair, void, undefined> {
  yield* fold(await Array.fromAsync(pairs));
}

function* foldPairs(rule: FoldRule, pairs: Pairs): Generator<Pair, void, undefined> {
  const states = new Keyed<unknown>();
  for (const [key, value] of pairs) {
    const entry = states.get(key);
    if (entry === undefined) states.add(key, rule.start(value, key));
    else entry.value = rule.add(entry.value, value, key);
  }
  for (const { key, value } of states.entries()) yield [key, value];
}

function* distinctPairs(pairs: Pairs): Generator<Pair, void, undefined> {
  const seen = new Keyed<Keyed<true>>();
  for (const [key, value] of pairs) {
    let values = seen.get(key)?.value;
    if (values === undefined) {
      values = new Keyed<true>();
      seen.add(key, values);
    }
    if (values.get(value) !== undefined) continue;
    values.add(value, true);
    yield [key, value];
  }
}

function* topPairs(pairs: Pairs, n: number): Generator<Pair, void, undefined> {
  const best = new TopPairs(n);
  for (const [key, value] of foldPairs(foldRules.sum, pairs)) best.add(key, value);
  for (const [key, value] of best.finish()) yield [key, value];
}
