/**
 * `disco-mapreduce/fn`: functions for jobs, ready-made. They go where a function of your own would go, alone or beside it; where
 * Disco sees that a function is one of these it works on bytes and typed arrays instead of calling it.
 */
export type { CountFold, Fold, Identity, NeedsNumbers, NeedsPairs, SumFold, SumReduce } from "./fold-type.ts";
export { count, distinct, first, last, max, min, sum, top } from "./folds.ts";
export { identity } from "./identity.ts";
export { type Counted, type FieldOptions, field, grep, type LineMap, lines, words } from "./line-maps.ts";
