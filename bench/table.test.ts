import assert from "node:assert/strict";
import { test } from "node:test";
import type { Line } from "./question.ts";
import type { Recorded } from "./results-file.ts";
import { summarize } from "./statistics.ts";
import { provenance, rows, table, withTable } from "./table.ts";

function recorded(title: string, ...lines: Line[]): Recorded {
  return {
    title,
    target: "",
    date: "2030-01-02T03:04:05.678Z",
    commit: "abc1234",
    machine: { node: "v24.0.0", cpu: "Fast", cores: 2, memoryGb: 8 },
    factor: 1,
    runs: 3,
    from: "package",
    args: [],
    lines: lines.map((line) => summarize(line)),
    memory: [],
  };
}

const results = {
  GROWTH: recorded("growth", { name: "exponent", unit: "exponent", values: [1.01] }),
  P10: recorded("memory", { name: "peak", unit: "MB", values: [300], target: { kind: "max", value: 268 } }),
  P9: recorded(
    "results",
    {
      name: "wall",
      unit: "s",
      values: [2, 3, 2.2],
      baseline: { what: "script", values: [2] },
      target: { kind: "ratio-max", value: 1.2 },
    },
    { name: "throughput", unit: "MB/s", values: [50] },
  ),
};

test("figures with a target or a baseline become rows below their question, in the order of the questions' numbers", () => {
  assert.deepEqual(rows(results), [
    "| **P9** | **results** | | | | | |",
    "|  | wall | 2.2 s (2 s – 3 s) | 2 s, script | 1.10 | ≤ 1.2× | reached |",
    "| **P10** | **memory** | | | | | |",
    "|  | peak | 300 MB |  |  | ≤ 268 MB | **not reached** |",
    "| **GROWTH** | **growth** | | | | | |",
    "|  | exponent | 1.01 |  |  |  |  |",
  ]);
  assert.equal(rows(results, true).length, rows(results).length + 1);
});

test("where and when is said once for all questions of the same circumstances", () => {
  assert.deepEqual(provenance(results), [
    "- P9, P10, GROWTH: 2030-01-02, commit abc1234, Node v24.0.0, 2 × Fast, from the package, 3 runs",
  ]);
});

test("a table takes the place of the page's table, and nothing else changes", () => {
  const pageWith = (made: string): string =>
    `before\n<!-- begin of the table: node bench/table.ts --write -->\n${made}\n<!-- end of the table -->\nafter\n`;
  assert.equal(withTable(pageWith("| old |"), table(results)), pageWith(table(results)));
  assert.throws(() => withTable("no place", "| new |"), /no place for a table/);
});
