/** What a handful of runs say together. */
import type { Line, Target } from "./question.ts";

/** `NaN` of none. Of an even number the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** A line with what follows from its values. */
export interface Summary extends Line {
  readonly value: number;
  /** The lowest and the highest run. */
  readonly spread: readonly [number, number];
  readonly baselineValue?: number;
  /** value / baselineValue, where that is above 0. */
  readonly ratio?: number;
  /** Only of lines with a target, of runs on all of the data. */
  readonly reached?: boolean;
}

/** @param judged whether the runs were of the size that the targets speak of */
export function summarize(line: Line, judged = true): Summary {
  const together = line.by === "highest" ? (values: readonly number[]) => Math.max(...values) : median;
  const value = together(line.values);
  const spread = [Math.min(...line.values), Math.max(...line.values)] as const;
  const baselineValue = line.baseline === undefined ? undefined : together(line.baseline.values);
  const ratio = baselineValue === undefined || baselineValue <= 0 ? undefined : value / baselineValue;
  return {
    ...line,
    value,
    spread,
    ...(baselineValue === undefined ? {} : { baselineValue }),
    ...(ratio === undefined ? {} : { ratio }),
    ...(line.target === undefined || !judged ? {} : { reached: isReached(line.target, value, ratio) }),
  };
}

function isReached(target: Target, value: number, ratio: number | undefined): boolean {
  switch (target.kind) {
    case "ratio-max":
      return ratio !== undefined && ratio <= target.value;
    case "max":
      return value <= target.value;
    case "min":
      return value >= target.value;
  }
}

/** How two sets of runs of the same figure compare. */
export interface Comparison {
  readonly ours: number;
  readonly theirs: number;
  /** ours / theirs */
  readonly ratio: number;
  /** `same`: one of the runs of one side lies among those of the other, or there was one run of each: nothing is known. */
  readonly verdict: "less" | "more" | "same";
}

export function compare(ours: readonly number[], theirs: readonly number[]): Comparison {
  const pair = { ours: median(ours), theirs: median(theirs) };
  const apart = (low: readonly number[], high: readonly number[]): boolean =>
    low.length > 1 && high.length > 1 && Math.max(...low) < Math.min(...high);
  const verdict = apart(ours, theirs) ? "less" : apart(theirs, ours) ? "more" : "same";
  return { ...pair, ratio: pair.ours / pair.theirs, verdict };
}

/**
 * The exponent `b` and factor `a` of `y = a·x^b`, by least squares over the logarithms: 1 is linear growth. The points must be
 * above 0, of at least two different `x`.
 */
export function powerLaw(points: readonly (readonly [x: number, y: number])[]): { factor: number; exponent: number } {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const meanX = logs.reduce((sum, [x]) => sum + x, 0) / logs.length;
  const meanY = logs.reduce((sum, [, y]) => sum + y, 0) / logs.length;
  const over = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const under = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (!(under > 0)) throw new RangeError("a power law needs points of at least two sizes");
  const exponent = over / under;
  return { factor: Math.exp(meanY - exponent * meanX), exponent };
}
