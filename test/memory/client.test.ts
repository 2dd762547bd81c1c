/** What a program needs that reads results one by one: the same for any number of them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { openEngine } from "../faults/engine.test-kit.ts";
import { assertGrowth, dataBytes } from "./peaks.test-kit.ts";

const reader = join(import.meta.dirname, "fixtures", "reads-results.ts");
const recordBytes = 256;
const valueChars = 240;

test("the memory that a client holds does not depend on how many results it reads", { timeout: 100_000 }, async () => {
  await using engine = await openEngine({ workers: 1 });
  const heldOf = async (times: number): Promise<number> => {
    const records = (dataBytes / recordBytes) * times;
    const job = await engine.disco.newJob("results", {
      input: ["raw://x"],
      params: { records, valueChars },
      *map(_line, params) {
        for (let i = 0; i < params.records; i++) yield [String(i), "x".repeat(params.valueChars)] as const;
      },
      partitions: 2,
    });
    const urls = await job.wait({ timeout: 60 });
    const args = ["--conditions=disco-source", "--expose-gc", reader, ...urls];
    const env = { ...process.env, DISCO_ROOT: engine.root };
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    await job.purge();
    const report = JSON.parse(stdout) as { records: number; chars: number; heldBytes: number };
    assert.equal(report.records, records);
    assert.ok(report.chars > records * valueChars);
    return report.heldBytes;
  };
  assertGrowth(await heldOf(1), await heldOf(4));
});
