import assert from "node:assert/strict";
import { test } from "node:test";
import type { Line } from "./question.ts";
import type { Recorded } from "./results-file.ts";
import { summarize } from "./statistics.ts";
import { provenance, tableRows } from "./table.ts";

function recorded(...lines: Line[]): Recorded {
  return {
    title: "",
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
  P10: recorded({ name: "peak", unit: "MB", values: [300], target: { kind: "max", value: 268 } }),
  P9: recorded(
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

test("figures with a target or a baseline become rows, in the order of the questions' numbers", () => {
  assert.deepEqual(tableRows(results), [
    "| P9 | wall | 2.2 s (2 s – 3 s) | 2 s, script | 1.10 | ≤ 1.2× | reached |",
    "| P10 | peak | 300 MB |  |  | ≤ 268 MB | **not reached** |",
  ]);
  assert.equal(tableRows(results, true).length, 3);
});

test("where and when is said once for all questions of the same circumstances", () => {
  assert.deepEqual(provenance(results), [
    "P10, P9: 2030-01-02, commit abc1234, Node v24.0.0, 2 x Fast, package, 3 runs",
  ]);
});
