import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Answer } from "./question.ts";
import { type Circumstances, readResults, record, resultsFile } from "./results-file.ts";

const folder = mkdtempSync(join(tmpdir(), "disco-bench-results-"));
after(() => rmSync(folder, { recursive: true }));

const circumstances: Circumstances = { factor: 1, runs: 3, from: "package", args: ["P1"] };
const answer = (seconds: number): Answer => ({
  lines: [{ name: "wall", unit: "s", values: [seconds], target: { kind: "max", value: 5 } }],
  memory: [{ name: "worker 1", megabytes: 90 }],
});

test("a new answer takes the place of the question's last one, and those of other questions stay", () => {
  const file = join(folder, "results.json");
  assert.deepEqual(readResults(file), {});
  record(file, { id: "P1", title: "one", target: "" }, answer(4), circumstances);
  record(file, { id: "P2", title: "two", target: "" }, answer(9), circumstances);
  record(file, { id: "P1", title: "one", target: "" }, answer(6), { ...circumstances, runs: 5 });
  const results = readResults(file);
  assert.deepEqual(Object.keys(results), ["P1", "P2"]);
  const { runs, lines, memory, machine, date } = results["P1"] ?? assert.fail();
  assert.equal(runs, 5);
  assert.equal(lines[0]?.value, 6);
  assert.equal(lines[0]?.reached, false);
  assert.deepEqual(memory, [{ name: "worker 1", megabytes: 90 }]);
  assert.equal(machine.node, process.version);
  assert.ok(Math.abs(Date.now() - Date.parse(date)) < 60_000);
  assert.deepEqual(readdirSync(folder), ["results.json"], "nothing is left beside it");
});

test("runs on other amounts of data go to another file, and are not judged", () => {
  assert.notEqual(resultsFile(0.01), resultsFile());
  assert.equal(resultsFile(1), resultsFile());
  const file = join(folder, "results.json");
  const recorded = record(file, { id: "P3", title: "", target: "" }, answer(9), { ...circumstances, factor: 0.01 });
  assert.equal(recorded.lines[0]?.reached, undefined);
});
