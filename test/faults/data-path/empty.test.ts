/** Nothing at all, in every place where there can be nothing: inputs, records, partitions, runs, results. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Job, parseDir, resultIterator } from "../../../src/index.ts";
import { type Engine, openEngine } from "../engine.test-kit.ts";

let engine: Engine;
let emptyFile: string;
before(async () => {
  engine = await openEngine();
  emptyFile = join(engine.scratch, "empty");
  await writeFile(emptyFile, "");
});
after(() => engine[Symbol.asyncDispose]());

const partitions = 64;

async function recordsOf(job: Job): Promise<unknown[]> {
  return resultIterator(await job.wait({ timeout: 60 })).toArray();
}

const map = (line: string) => [[line, 1] as const];
const nothing = (): [string, number][] => [];
/** Sums in the order of first appearance, sorted or not. */
function reduce(pairs: Iterable<readonly [string, number]>): Iterable<[string, number]> {
  const sums = new Map<string, number>();
  for (const [key, n] of pairs) sums.set(key, (sums.get(key) ?? 0) + n);
  return sums;
}
const combiner = (key: string, n: number, buffer: Map<string, number>, done: boolean): void => {
  if (!done) buffer.set(key, (buffer.get(key) ?? 0) + n);
};

describe("a job", { timeout: 120_000 }, () => {
  for (const sort of [false, true]) {
    const how = sort ? "sorted" : "unsorted";
    test(`most of whose ${partitions} partitions are empty gives what the others hold (${how})`, async () => {
      const job = await engine.disco.newJob("few", { input: ["raw://a\nb\na"], map, reduce, sort, partitions });
      assert.deepEqual(
        new Map((await recordsOf(job)) as [string, number][]),
        new Map([
          ["a", 2],
          ["b", 1],
        ]),
      );
    });

    test(`all of whose ${partitions} partitions are empty gives nothing (${how})`, async () => {
      const options = { input: ["raw://a\nb", "raw://", emptyFile], map: nothing, reduce, sort, partitions };
      assert.deepEqual(await recordsOf(await engine.disco.newJob("none", options)), []);
      assert.deepEqual(await recordsOf(await engine.disco.newJob("none", { ...options, combiner })), []);
    });

    test(`over empty files only gives nothing, and calls no map (${how})`, async () => {
      const job = await engine.disco.newJob("files", {
        input: [emptyFile, emptyFile],
        map: (line): [string, number][] => {
          throw new Error(`called with ${JSON.stringify(line)}`);
        },
        reduce,
        sort,
        partitions: 3,
      });
      assert.deepEqual(await recordsOf(job), []);
    });

    test(`some of whose maps emit nothing has the records of the others (${how})`, async () => {
      const job = await engine.disco.newJob("some", {
        input: ["raw://skip", emptyFile, "raw://x\nskip\ny", "raw://skip"],
        map: (line) => (line === "skip" ? [] : [[line, 1] as const]),
        reduce,
        combiner,
        sort,
        partitions: 5,
      });
      assert.deepEqual(
        new Map((await recordsOf(job)) as [string, number][]),
        new Map([
          ["x", 1],
          ["y", 1],
        ]),
      );
    });
  }

  test("whose reduce gives nothing has no results, and one over its results has none either", async () => {
    const job = await engine.disco.newJob("swallow", {
      input: ["raw://a\nb"],
      map,
      reduce: (pairs): [string, number][] => {
        for (const _ of pairs);
        return [];
      },
      partitions,
    });
    const results = await job.wait({ timeout: 60 });
    assert.deepEqual(await resultIterator(results).toArray(), []);
    if (results.length === 0) return;
    const next = await engine.disco.newJob("after", {
      input: results,
      map: (pair) => [[String(pair), 1] as const],
      reduce,
    });
    assert.deepEqual(await recordsOf(next), []);
  });

  test("without a reduce writes results for the partitions that have records only", async () => {
    const job = await engine.disco.newJob("maponly", { input: ["raw://a", emptyFile], map, partitions });
    assert.deepEqual(await recordsOf(job), [["a", 1]]);
  });

  test("in a user's format has no files where there are no records", async () => {
    const job = await engine.disco.newJob("format", {
      input: ["raw://a", emptyFile],
      map: nothing,
      partitions,
      reduce,
      reduceOutputStream: [(stream) => ({ add: (key, value) => stream.write(`${key} ${value}\n`) })],
    });
    const files = await Promise.all((await job.wait({ timeout: 60 })).map((url) => parseDir(url)));
    assert.deepEqual(files.flat(), []);
  });

  test("that merges empty inputs of another job merges the others", async () => {
    const sorted = await engine.disco.newJob("sorted", {
      input: ["raw://b\na\nc"],
      map,
      reduce,
      sort: true,
      partitions,
    });
    const merged = await engine.disco.newJob("merged", {
      input: await sorted.wait({ timeout: 60 }),
      reduce,
      sort: "merge",
      partitions: null,
    });
    assert.deepEqual(await recordsOf(merged), [
      ["a", 1],
      ["b", 1],
      ["c", 1],
    ]);
  });
});
