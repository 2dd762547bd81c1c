/**
 * The types of folds: one function that is a combiner where it is called for a pair, and a reduce where it is called for all of
 * them. Overloads would say so as well, but TypeScript infers nothing through them.
 */

/** Pairs as a fold takes them in place of a reduce. */
type FoldedPairs<Key, Value> =
  | IteratorObject<readonly [Key, Value], unknown, unknown>
  | readonly (readonly [Key, Value])[];

/** What follows the key where a fold is called as a combiner. */
// biome-ignore lint/suspicious/noExplicitAny: a buffer of any job, which its methods make neither co- nor contravariant.
type CombinerRest<Value> = readonly [value: Value, buffer: Map<any, any>, done: boolean, ...more: readonly unknown[]];

/** In place of the result of a fold that needs numbers and got something else: it is no result of a job, so that does not compile. */
export interface NeedsNumbers {
  readonly values: "must be of type number or bigint";
}

/** In place of the result of a fold in a position where it is none: as a map, say. */
export interface NeedsPairs {
  readonly pairs: "must come, as for a combiner or a reduce";
}

/** Values as they are. */
export type Fold = <First, Rest extends readonly unknown[]>(
  pairsOrKey: First,
  ...rest: Rest
) => Rest extends CombinerRest<unknown>
  ? undefined
  : First extends FoldedPairs<infer Key, infer Value>
    ? Iterable<[key: Key, value: Value]>
    : NeedsPairs;

/** Numbers, or bigints. */
export type SumFold = <First, Rest extends readonly unknown[]>(
  pairsOrKey: First,
  ...rest: Rest
) => Rest extends CombinerRest<infer Value>
  ? Value extends number | bigint
    ? undefined
    : NeedsNumbers
  : First extends FoldedPairs<infer Key, infer Value>
    ? Value extends number | bigint
      ? Iterable<[key: Key, value: Value]>
      : NeedsNumbers
    : NeedsPairs;

/** How many, whatever the values are; but what a combiner counts takes their place, so that there they are numbers. */
export type CountFold = <First, Rest extends readonly unknown[]>(
  pairsOrKey: First,
  ...rest: Rest
) => Rest extends CombinerRest<infer Value>
  ? Value extends number
    ? undefined
    : NeedsNumbers
  : First extends FoldedPairs<infer Key, unknown>
    ? Iterable<[key: Key, value: number]>
    : NeedsPairs;

/** Pairs as they are. */
export type Identity = <First, Rest extends readonly unknown[]>(
  pairOrPairs: First,
  ...rest: Rest
) => Rest extends CombinerRest<infer Value>
  ? Iterable<[key: First, value: Value]>
  : First extends readonly [infer Key, infer Value]
    ? Iterable<[key: Key, value: Value]>
    : First;

/** A reduce of sums that is no combiner. */
export type SumReduce = <First>(
  pairs: First,
  ...rest: readonly unknown[]
) => First extends FoldedPairs<infer Key, infer Value>
  ? Value extends number | bigint
    ? Iterable<[key: Key, value: Value]>
    : NeedsNumbers
  : NeedsNumbers;
