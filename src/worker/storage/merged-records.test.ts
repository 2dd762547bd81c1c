import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { anyKey } from "../../protocol/arbitrary-values.test-kit.ts";
import { compareValues } from "../../protocol/order.ts";
import { Records } from "./batch.ts";
import { mergeSorted } from "./merge-sorted.ts";
import { MergedRecords } from "./merged-records.ts";
import { openOutputs } from "./outputs.ts";
import { sortRecords, sortRecordsAsync } from "./record-sorter.ts";
import { OpenFiles } from "./run.ts";
import { drain, type Pair, tempDir, writeTasks } from "./storage.test-kit.ts";

/** What a merge must give: Array.prototype.sort is stable. */
const stableSort = (pairs: readonly Pair[]): Pair[] => [...pairs].sort((a, b) => compareValues(a[0], b[0]));

test("merging any sorted runs is a stable sort", (t) => {
  const dataDir = tempDir(t);
  const tasks = fc.array(fc.array(anyKey, { maxLength: 40 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(tasks, fc.constantFrom(100, 1000, 1e6), (keys, budgetBytes) => {
      const pairs = keys.map((list, task) => list.map((key, i): Pair => [key, [task, i]]));
      const outputs = writeTasks(dataDir, pairs, { sorted: true, budgetBytes });
      const files = new OpenFiles();
      const runs = openOutputs(outputs, { dataDir, label: 0, files });
      const merged = drain(new MergedRecords(runs, { budgetBytes, scratchDir: dataDir }));
      files.close();
      assert.deepStrictEqual(merged, stableSort(pairs.flat()));
    }),
    { numRuns: 60 },
  );
});

test("hundreds of runs are merged within a small budget, through a scratch file that is gone afterwards", (t) => {
  const dataDir = tempDir(t);
  const pairs = Array.from({ length: 300 }, (_, task) =>
    Array.from({ length: 40 }, (_, i): Pair => [`k${(task * 31 + i * 17) % 97}`, task * 100 + i]),
  );
  const outputs = writeTasks(dataDir, pairs, { sorted: true });
  const expected = stableSort(pairs.flat());
  for (const budgetBytes of [1000, 30_000, 1e8]) {
    const scratchDir = path.join(dataDir, `scratch-${budgetBytes}`);
    const files = new OpenFiles();
    const runs = openOutputs(outputs, { dataDir, label: 0, files });
    assert.deepStrictEqual(drain(new MergedRecords(runs, { budgetBytes, scratchDir })), expected);
    files.close();
    assert.equal(fs.existsSync(scratchDir), budgetBytes < 1e8);
    if (budgetBytes < 1e8) assert.deepEqual(fs.readdirSync(scratchDir), []);
  }
});

test("records are sorted in memory or through spilled runs, with the same result", async (t) => {
  const scratchDir = tempDir(t);
  const pairs: Pair[] = Array.from({ length: 5000 }, (_, i) => [(i * 7919) % 1009, `value ${i}`]);
  for (const budgetBytes of [10_000, 100_000, 1e9]) {
    assert.deepEqual([...sortRecords(pairs, { budgetBytes, scratchDir })], stableSort(pairs));
  }
  async function* slow(): AsyncGenerator<Pair> {
    yield* pairs;
  }
  assert.deepEqual([...(await sortRecordsAsync(slow(), { budgetBytes: 50_000, scratchDir }))], stableSort(pairs));
  assert.deepEqual(fs.readdirSync(scratchDir), []);
});

test("a sort that is left early, or fails, gives its scratch file back", (t) => {
  const scratchDir = tempDir(t);
  const before = openFileCount();
  const options = { budgetBytes: 1000, scratchDir };
  for (const [key] of sortRecords(
    Array.from({ length: 500 }, (_, i): Pair => [-i, i]),
    options,
  )) {
    if (key === -400) break;
  }
  assert.throws(() => sortRecords(failing(), options), /the input broke/);
  assert.throws(() => sortRecords(["no pair"] as never, options), { code: "bad-pair", message: /got 'no pair'/ });
  assert.deepEqual(fs.readdirSync(scratchDir), []);
  assert.equal(openFileCount(), before);
});

test("declared sorted inputs are merged lazily", () => {
  const taken: string[] = [];
  function* input(name: string, keys: number[]): Generator<Pair> {
    try {
      for (const key of keys) {
        taken.push(`${name}${key}`);
        yield [key, name];
      }
    } finally {
      taken.push(`${name} closed`);
    }
  }
  const merged = mergeSorted([input("a", [1, 3, 3]), input("b", [1, 2, 3]), input("c", [])]);
  assert.deepEqual(
    [...merged].map(([key, name]) => `${String(key)}${String(name)}`),
    ["1a", "1b", "2b", "3a", "3a", "3b"],
  );
  taken.length = 0;
  for (const [key] of mergeSorted([input("x", [1, 2, 3]), input("y", [1, 2])])) if (key === 1) break;
  assert.ok(taken.includes("x closed"));
});

test("an input that is declared sorted and is not is refused", () => {
  const url = "disco://here/x";
  const merged = mergeSorted([
    {
      url,
      pairs: [
        ["b", 1],
        ["a", 2],
      ] as Pair[],
    },
  ]);
  assert.throws(() => [...merged], { code: "not-sorted", url, message: /record 1 has key 'a' after 'b'/ });
});

test("pairs and batches may be taken in turn", () => {
  const records = new Records(new MergedRecords([], { budgetBytes: 1, scratchDir: "/nowhere" }));
  assert.equal(records.nextBatch(), null);
  assert.deepEqual(records.next(), { done: true, value: undefined });
  const three = sortRecords(
    [
      [3, "c"],
      [1, "a"],
      [2, "b"],
    ] as Pair[],
    { budgetBytes: 1e6, scratchDir: "/nowhere" },
  );
  assert.deepEqual(three.next().value, [1, "a"]);
  assert.deepEqual(three.nextBatch(), { keys: [2, 3], values: ["b", "c"], n: 2 });
  assert.equal(three.nextBatch(), null);
});

function* failing(): Generator<Pair> {
  for (let i = 0; i < 100; i++) yield [i, "x".repeat(100)];
  throw new Error("the input broke");
}

function openFileCount(): number {
  return fs.existsSync("/proc/self/fd") ? fs.readdirSync("/proc/self/fd").length : 0;
}

test("runs of records that take megabytes each are merged two at a time, and one small run beside them all the same", (t) => {
  const dataDir = tempDir(t);
  const list = (task: number): unknown[] => Array.from({ length: 150_000 }, (_, i) => i + task);
  const tasks = Array.from({ length: 5 }, (_, task): Pair[] => [
    [`before ${task}`, "small"],
    ["frequent", list(task)],
    [`later ${task}`, "small"],
  ]);
  const outputs = writeTasks(dataDir, [...tasks, [["frequent", "last"]]], { sorted: true });
  const scratchDir = path.join(dataDir, "scratch");
  const expected = stableSort([...tasks.flat(), ["frequent", "last"]]);
  for (const budgetBytes of [2e6, 1e8]) {
    const files = new OpenFiles();
    const runs = openOutputs(outputs, { dataDir, label: 0, files });
    assert.deepStrictEqual(drain(new MergedRecords(runs, { budgetBytes, scratchDir })), expected);
    files.close();
    assert.equal(fs.existsSync(scratchDir), budgetBytes === 2e6);
    fs.rmSync(scratchDir, { recursive: true, force: true });
  }
});
