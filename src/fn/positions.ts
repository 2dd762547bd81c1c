/**
 * Where built-in functions may stand, and which folds may follow which: what would run, and give results that nobody wants, is refused
 * when a job is submitted.
 */
import { factoryOf, ownRecipe } from "../worker/own.ts";

export type Position = "map" | "combiner" | "reduce";

/** A mistake, and what to write instead. */
export interface Misplaced {
  readonly message: string;
  readonly hint: string;
}

const positions: Readonly<Record<string, readonly Position[]>> = {
  words: ["map"],
  lines: ["map"],
  grep: ["map"],
  field: ["map"],
  sum: ["combiner", "reduce"],
  count: ["combiner", "reduce"],
  min: ["combiner", "reduce"],
  max: ["combiner", "reduce"],
  first: ["combiner", "reduce"],
  last: ["combiner", "reduce"],
  distinct: ["combiner", "reduce"],
  top: ["reduce"],
  identity: ["map", "combiner", "reduce"],
  external: ["map", "reduce"],
};

/**
 * Combiners, by the reduce that brings their results together. How often a combiner empties its buffers depends on how the input is
 * divided: behind any other combiner the results would, too.
 */
const combinersBefore: Readonly<Record<string, readonly string[]>> = {
  sum: ["sum", "count"],
  count: [],
  top: ["sum", "count"],
  min: ["min", "distinct"],
  max: ["max", "distinct"],
  first: ["first"],
  last: ["last"],
  distinct: ["distinct"],
};

/** What is wrong with a function at a position; `null`: nothing, or it is not one of ours. */
export function misplaced(fn: unknown, position: string): Misplaced | null {
  const factory = factoryOf(fn);
  const name = factory?.name ?? nameOf(fn);
  const allowed = name === null ? undefined : positions[name];
  if (allowed === undefined || allowed.includes(position as Position)) {
    if (factory === undefined) return null;
    return { message: `${position}: ${name} is not called`, hint: `Write ${position}: ${factory.call}.` };
  }
  const call = factories.has(name as string) ? `${name}(…)` : name;
  const hint = name === "top" ? "Its combiner is sum." : `${call} goes where a ${allowed.join(" or a ")} is expected.`;
  return { message: `${position}: ${call} is no ${position}`, hint };
}

/** What is wrong with a reduce behind a combiner; `null`: nothing, or one of them is not ours. */
export function mismatched(combiner: unknown, reduce: unknown): Misplaced | null {
  const before = nameOf(combiner);
  const after = nameOf(reduce);
  if (before === null || after === null || before === "identity") return null;
  const allowed = combinersBefore[after];
  if (allowed === undefined || allowed.includes(before)) return null;
  const isFitting = (name: string): boolean => combinersBefore[name]?.includes(before) === true;
  const fitting = isFitting(before) ? before : Object.keys(combinersBefore).find(isFitting);
  const work =
    before === "count" && after === "count" ? "would count counts" : `means nothing behind combiner: ${before}`;
  return {
    message: `reduce: ${after} ${work}`,
    hint: `Write reduce: ${fitting}, or leave the combiner out.`,
  };
}

const factories: ReadonlySet<string> = new Set(["words", "lines", "grep", "field", "top", "external"]);

function nameOf(fn: unknown): string | null {
  const name = ownRecipe(fn)?.name;
  return name !== undefined && Object.hasOwn(positions, name) ? name : null;
}
