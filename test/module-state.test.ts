/** Functions ought to be pure; those that are not must at least not lose records to what an earlier run has left in memory. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Disco, resultIterator, task } from "../src/index.ts";

const seen = new Set<string>();

/** Drops lines that were there before, by a module-level set. */
function distinct(line: string, { failAt }: { failAt: string | null }): [string, number][] {
  if (task.attempt === 0 && line === failAt) throw new Error(`failed at ${line}`);
  if (seen.has(line)) return [];
  seen.add(line);
  return [[line, 1]];
}

describe("module-level variables of a job's functions", { timeout: 120_000 }, () => {
  let root: string;
  let disco: Disco;

  const run = async (failAt: string | null): Promise<string> => {
    await using job = await disco.newJob("state", { input: ["raw://a\nb\na\nc"], map: distinct, params: { failAt } });
    return (await resultIterator(await job.wait()).toArray()).map(([line]) => line).join(" ");
  };

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "disco-state-"));
    disco = new Disco(undefined, { root, workers: 1 });
  });

  after(async () => {
    await disco.close();
    await rm(root, { recursive: true, force: true });
  });

  test("are new for the attempt after one that failed", async () => {
    assert.equal(await run("c"), "a b c");
  });

  test("are new for a job that gets the worker of an earlier one", async () => {
    for (let round = 0; round < 3; round++) assert.equal(await run(null), "a b c");
  });
});
