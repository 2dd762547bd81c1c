/**
 * The table in `docs/performance.md`, from `bench/results.json`: `node bench/table.ts` prints it, `--write` puts it into the page,
 * between the two comments that mark its place. `--all` has the figures without a target or a baseline as well.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { amount, targetWords } from "./report.ts";
import { type Recorded, type Results, readResults, resultsFile } from "./results-file.ts";
import type { Summary } from "./statistics.ts";

const page = join(import.meta.dirname, "..", "docs", "performance.md");
const begin = "<!-- begin of the table: node bench/table.ts --write -->";
const end = "<!-- end of the table -->";
const head = ["| # | figure | here | baseline | ratio | target | |", "|---|---|---|---|---|---|---|"];

/** The whole table and, below it, when and of what it was measured. */
export function table(results: Results, all = false): string {
  return [...head, ...rows(results, all), "", ...provenance(results)].join("\n");
}

/** A row for the question, then one for each figure that has a baseline, a target or is an exponent; all of them on request. */
export function rows(results: Results, all = false): string[] {
  return inOrder(results).flatMap(([id, { title, lines }]) => [
    `| **${id}** | **${title}** | | | | | |`,
    ...lines.filter((line) => all || isTold(line)).map(row),
  ]);
}

const isTold = ({ target, baseline, unit }: Summary): boolean =>
  target !== undefined || baseline !== undefined || unit === "exponent";

function row({ name, unit, value, spread, values, baseline, baselineValue, ratio, target, reached }: Summary): string {
  const range = values.length > 1 ? ` (${amount(spread[0], unit)} – ${amount(spread[1], unit)})` : "";
  const cells = [
    "",
    name,
    amount(value, unit) + range,
    baseline === undefined ? "" : `${amount(baselineValue ?? Number.NaN, unit)}, ${baseline.what}`,
    ratio === undefined ? "" : ratio.toFixed(2),
    target === undefined ? "" : targetWords(target, unit),
    reached === undefined ? "" : reached ? "reached" : "**not reached**",
  ];
  return `| ${cells.join(" | ")} |`;
}

/** When and of what, one line for each set of circumstances. */
export function provenance(results: Results): string[] {
  const groups = Map.groupBy(inOrder(results), ([, recorded]) => circumstances(recorded));
  return [...groups].map(([told, entries]) => `- ${entries.map(([id]) => id).join(", ")}: ${told}`);
}

function circumstances({ date, commit, machine, from, runs }: Recorded): string {
  const { node, cores, cpu } = machine;
  return `${date.slice(0, 10)}, commit ${commit}, Node ${node}, ${cores} × ${cpu}, from the ${from}, ${runs} runs`;
}

/** P1, P1B, P2 … P10, and words after numbers. */
function inOrder(results: Results): [id: string, recorded: Recorded][] {
  const place = (id: string): string => id.replace(/^P/, " ");
  return Object.entries(results).sort(([a], [b]) => place(a).localeCompare(place(b), "en", { numeric: true }));
}

/** The page with another table in the place of its table. Throws when the page does not say where. */
export function withTable(text: string, made: string): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no place for a table: ${begin} … ${end}`);
  return `${text.slice(0, from + begin.length)}\n${made}\n${text.slice(to)}`;
}

if (import.meta.main) {
  const made = table(readResults(resultsFile()), process.argv.includes("--all"));
  if (process.argv.includes("--write")) writeFileSync(page, withTable(readFileSync(page, "utf8"), made));
  else console.log(made);
}
