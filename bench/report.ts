/** Answers as people read them. */
import { bareShare, kinds, type Shares } from "./profile-shares.ts";
import type { ProcessPeak, Target, Unit } from "./question.ts";
import type { Recorded } from "./results-file.ts";
import type { Comparison, Summary } from "./statistics.ts";
import type { Versus } from "./versus.ts";

const nameWidth = 46;

/** `4.81 s`; an exponent has no unit. */
export function amount(value: number, unit: Unit): string {
  return unit === "exponent" ? value.toFixed(2) : `${number(value)} ${unit}`;
}

function number(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

export function targetWords(target: Target, unit: Unit): string {
  switch (target.kind) {
    case "ratio-max":
      return `≤ ${target.value}×`;
    case "max":
      return `≤ ${amount(target.value, unit)}`;
    case "min":
      return `≥ ${amount(target.value, unit)}`;
  }
}

export function verdict(reached: boolean | undefined): string {
  return reached === undefined ? "not judged on other amounts of data" : reached ? "reached" : "NOT REACHED";
}

export function printAnswer({ lines, memory }: Recorded): void {
  for (const line of lines) print(line.name, describe(line));
  for (const [part, peaks] of Map.groupBy(memory, (peak) => peak.part ?? "")) {
    print(`peak memory, MB${part === "" ? "" : `: ${part}`}`, processes(peaks));
  }
}

/** Each kind's part, and that of what the bare loop does as well. */
export function printShares(shares: Shares): void {
  const percent = (share: number): string => `${(100 * share).toFixed(1).padStart(5)} %`;
  for (const kind of kinds) print(kind, percent(shares[kind]));
  print("user + lines + io", percent(bareShare(shares)));
}

/** `4.81 s (4.7–5)  beside 3.1 s, hand-written script  ratio 1.56  target ≤ 1.15×: NOT REACHED` */
function describe(line: Summary): string {
  const { value, unit, spread, baseline, baselineValue, ratio, target } = line;
  const parts = [amount(value, unit) + (line.values.length > 1 ? ` (${number(spread[0])}–${number(spread[1])})` : "")];
  if (baseline !== undefined && baselineValue !== undefined) {
    parts.push(`beside ${amount(baselineValue, unit)}, ${baseline.what}`);
    if (ratio !== undefined) parts.push(`ratio ${ratio.toFixed(2)}`);
  }
  if (target !== undefined) parts.push(`target ${targetWords(target, unit)}: ${verdict(line.reached)}`);
  return parts.join("  ");
}

/** `client and master 111; worker 95.2, 91.2` */
function processes(peaks: readonly ProcessPeak[]): string {
  const kinds = Map.groupBy(peaks, ({ name }) => name.replace(/ \d+$/, ""));
  return [...kinds]
    .map(([kind, group]) => `${kind} ${group.map(({ megabytes }) => number(megabytes)).join(", ")}`)
    .join("; ");
}

function print(name: string, text: string): void {
  console.log(`    ${name.padEnd(nameWidth)} ${text}`);
}

export function printComparison(compared: Versus, theirName: string): void {
  if ("skipped" in compared) {
    console.log(`    skipped: ${compared.skipped}`);
    return;
  }
  for (const { name, unit, comparison } of compared.lines) {
    const { ours, theirs, ratio } = comparison;
    const sides = `ours ${amount(ours, unit)}, ${theirName} ${amount(theirs, unit)}, ratio ${ratio.toFixed(2)}`;
    print(name, `${sides}: ${sentence(comparison, compared.runs)}`);
  }
}

/** How rarely all of `n` equal runs lie on one side of `n` others: 1 in C(2n, n) / 2. */
function oneIn(runs: number): string {
  let ways = 1;
  for (let i = 1; i <= runs; i++) ways = (ways * (runs + i)) / i;
  return number(ways / 2);
}

function sentence({ verdict: found }: Comparison, runs: number): string {
  if (runs === 1) return "one run each says nothing about the spread";
  return found === "same"
    ? "within the spread of the runs"
    : `ours is ${found} in every run (chance: 1 in ${oneIn(runs)})`;
}
