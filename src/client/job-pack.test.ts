import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { decodeJobPack, jobSpecOf } from "../protocol/jobpack.ts";
import type { AnyJobOptions } from "./job-options.ts";
import { packJob } from "./job-pack.ts";

let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "disco-pack-"));
  await writeFile(join(folder, "a.txt"), "one\ntwo\nthree\n".repeat(10));
});

after(() => rm(folder, { recursive: true, force: true }));

const map = (line: string) => [[line, 1]] as const;

test("a master in this process is told what it would read in the pack", async () => {
  const file = join(folder, "a.txt");
  const jobs: Record<string, unknown>[] = [
    { input: ["raw://hello", "raw://ä\u{1f600}\ud800"], map },
    { input: [file, ["http://a.example/x", "disco://node/ddfs/x"], pathToUrl(file)], map, splitBytes: 32 },
    { input: "raw://one", map, sort: true, partitions: 3, retries: 0, taskTimeout: 2.5, keep: true },
    { input: ["raw://x"], map, memoryLimit: 128, labels: { disk: "ssd" }, scheduler: { maxCores: 2 }, prefix: "named" },
  ];
  for (const options of jobs) {
    const { pack, spec } = await packJob(options as unknown as AnyJobOptions, { portable: false });
    assert.deepEqual(spec, jobSpecOf(decodeJobPack(pack).jobdict));
  }
});

test("inputs of one node share the list that names it, and nobody can change that", async () => {
  const { spec } = await packJob({ input: ["raw://a", "raw://b"], map } as unknown as AnyJobOptions, {
    portable: false,
  });
  const [first, second] = spec.inputs;
  assert.deepEqual(first?.hosts, [null]);
  assert.equal(first?.hosts, second?.hosts);
  assert.throws(() => Reflect.apply(Array.prototype.push, first?.hosts, ["x"]), TypeError);
});

function pathToUrl(path: string): string {
  return `file://${path}`;
}
