/** Prints the rows of the table in `docs/performance.md` from `bench/results.json`: `node bench/table.ts`. */
import { amount, targetWords } from "./report.ts";
import { type Recorded, readResults, resultsFile } from "./results-file.ts";
import type { Summary } from "./statistics.ts";

/** One row a figure that has a baseline or a target, the rest of them on request (`--all`). */
export function tableRows(results: Readonly<Record<string, Recorded>>, all = false): string[] {
  return Object.entries(results)
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .flatMap(([id, { lines }]) =>
      lines
        .filter((line) => all || line.target !== undefined || line.baseline !== undefined)
        .map((line) => row(id, line)),
    );
}

function row(id: string, line: Summary): string {
  const { name, unit, value, spread, baseline, baselineValue, ratio, target, reached } = line;
  const range = line.values.length > 1 ? ` (${amount(spread[0], unit)} – ${amount(spread[1], unit)})` : "";
  const cells = [
    id,
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
export function provenance(results: Readonly<Record<string, Recorded>>): string[] {
  const groups = Map.groupBy(Object.entries(results), ([, { date, commit, machine, from, runs }]) =>
    [
      date.slice(0, 10),
      `commit ${commit}`,
      `Node ${machine.node}`,
      `${machine.cores} x ${machine.cpu}`,
      from,
      `${runs} runs`,
    ].join(", "),
  );
  return [...groups].map(([circumstances, entries]) => `${entries.map(([id]) => id).join(", ")}: ${circumstances}`);
}

if (import.meta.main) {
  const results = readResults(resultsFile());
  console.log("| # | figure | here | baseline | ratio | target | |\n|---|---|---|---|---|---|---|");
  for (const line of tableRows(results, process.argv.includes("--all"))) console.log(line);
  console.log(`\n${provenance(results).join("\n")}`);
}
