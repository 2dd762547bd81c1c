/**
 * The engine with real workers: whatever the number of workers, and whatever is killed, the bytes of the results are the same.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { MasterApi } from "../client/master-api.ts";
import type { JobSpec } from "../core/job/spec.ts";
import type { JobData, StagePlan } from "../protocol/job-data.ts";
import { encodeJobPack, jobDictOf } from "../protocol/jobpack.ts";
import { encodeValue } from "../protocol/value.ts";
import { type EmbeddedOptions, openEmbedded } from "./embedded.ts";

const temporary = await mkdtemp(join(tmpdir(), "disco-real-"));
after(() => rm(temporary, { recursive: true, force: true }));
let roots = 0;

const memoryLimitBytes = 256 * 1024 * 1024;
const partitions = 3;
const maps = 6;
const lines = Array.from({ length: 200 }, (_, i) => `w${i % 17} w${(i * 7) % 23} w${i % 5}`);

/** Counts words. With a directory in `params`, the first attempt of each task kills its own process, and tells so by a file. */
const source = `
import { existsSync, writeFileSync } from "node:fs";
import { task } from "disco-mapreduce";
function dieOnce({ murders }) {
  if (murders === null) return;
  const mark = murders + "/" + task.stage + "-" + task.id;
  if (existsSync(mark)) return;
  writeFileSync(mark, "");
  process.kill(process.pid, "SIGKILL");
}
export function map(line, params) { dieOnce(params); return line.split(" ").map((word) => [word, 1]); }
export function* reduce(pairs, params) {
  dieOnce(params);
  const counts = new Map();
  for (const [word, n] of pairs) counts.set(word, (counts.get(word) ?? 0) + n);
  yield* counts;
}
`;

function wordCount(murders: string | null): Uint8Array {
  const plan = (kind: "map" | "reduce", fn: number): StagePlan => ({
    name: kind,
    kind,
    fn,
    grouping: kind === "map" ? "split" : "group_label",
    init: null,
    inputStream: [],
    outputStream: [],
    writer: null,
    combiner: null,
    partition: null,
    partitions: kind === "map" ? partitions : null,
    sort: kind === "reduce",
    sortOutput: kind === "map",
    final: kind === "reduce",
    concurrency: 1,
  });
  const url = "file:///word-count.js?disco=test";
  const fns = ["map", "reduce"].map((name) => ({ kind: "export", module: 0, name, display: name }) as const);
  const data: JobData = {
    version: 1,
    code: { portable: true, modules: [{ url, format: "module", source, insertions: [] }], fns },
    stages: [plan("map", 0), plan("reduce", 1)],
    params: encodeValue({ murders }),
    statusInterval: 0,
    seed: 7,
    memoryLimitBytes,
    requiredModules: [],
    argv: [],
  };
  const share = lines.length / maps;
  const inputs = Array.from({ length: maps }, (_, i) =>
    lines.slice(Math.floor(i * share), Math.floor((i + 1) * share)).join("\n"),
  );
  const spec: JobSpec = {
    prefix: "words",
    owner: "me",
    inputs: inputs.map((text) => ({ label: 0, size: 0, replicas: [`raw://${text}`], hosts: [null] })),
    pipeline: data.stages.map(({ name, grouping }) => ({ name, grouping })),
    scheduler: { maxCores: 2 ** 31, forceLocal: false, forceRemote: false },
    retries: 3,
    taskTimeoutMs: null,
    memoryLimitBytes,
    labels: {},
    keep: false,
  };
  return encodeJobPack({ jobdict: jobDictOf(spec), jobenvs: {}, files: {}, jobdata: encodeValue(data) });
}

interface Outcome {
  digest: string;
  workers: number;
}

/** Runs the job and hashes its results, label by label, in the order in which the master names them. */
async function run(options: EmbeddedOptions, murders: string | null = null): Promise<Outcome> {
  const root = join(temporary, String(roots++));
  const master = await openEmbedded({ root, memoryLimitBytes, ...options });
  try {
    const job = await master.submit(wordCount(murders));
    const [result] = await master.results([job], 60_000);
    assert.equal(result?.status, "ready", result?.reason ?? "");
    return { digest: await digestOf(join(root, "data"), result?.results ?? []), workers: await lossesOf(master, job) };
  } finally {
    await master.close();
  }
}

async function digestOf(dataDir: string, indexes: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const index of indexes) {
    const entries = (await readFile(fileOf(dataDir, index), "utf8")).trimEnd().split("\n");
    for (const entry of entries) {
      const [label = "", url = "", size = ""] = entry.split(" ");
      const bytes = await readFile(fileOf(dataDir, url));
      assert.equal(bytes.byteLength, Number(size));
      hash.update(`${label} ${size}\n`).update(bytes);
    }
  }
  return hash.digest("hex");
}

function fileOf(dataDir: string, url: string): string {
  const path = /^(?:dir|disco):\/\/localhost\/disco\/(.*)$/.exec(url)?.[1];
  assert.ok(path !== undefined, url);
  return join(dataDir, path);
}

async function lossesOf(master: MasterApi, job: string): Promise<number> {
  let losses = 0;
  for await (const [, { message }] of master.events(job, 0))
    if (message.includes("killed from outside by SIGKILL")) losses++;
  return losses;
}

test("results are the same bytes with 1, 2 and 7 workers, and when every task's first worker is killed", async () => {
  const { digest } = await run({ slots: 1 });
  assert.equal((await run({ slots: 2 })).digest, digest);
  assert.equal((await run({ slots: 7 })).digest, digest);
  const murders = await mkdtemp(join(temporary, "murders-"));
  const survivor = await run({ slots: 2 }, murders);
  assert.equal(survivor.digest, digest);
  assert.equal(survivor.workers, maps + partitions);
});
