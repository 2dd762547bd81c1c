/**
 * What a spare worker does while nobody needs it: a job of one map and one reduce, all by itself, in a directory of its own.
 *
 * The first task of a process costs 20 ms more than the second: hundreds of functions run for the first time and are compiled
 * then. A rehearsal moves that from the job's time to idle time. It is over in a moment, and whatever goes wrong in it is
 * nobody's concern: the real job will tell.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StageManifest, TaskInput, TaskOutput } from "../core/job/spec.ts";
import type { JobData, StagePlan } from "../protocol/job-data.ts";
import { encodeJobPack } from "../protocol/jobpack.ts";
import { encodeManifest } from "../protocol/manifest-file.ts";
import { encodeValue } from "../protocol/value.ts";
import { BoundJob, type JobBinding } from "./bound-job.ts";
import { runTask, type TaskHost } from "./run-task.ts";

const job = "rehearsal";
const memoryLimitBytes = 64 * 1024 * 1024;
const source = `
export const map = (line) => [[line, 1]];
export function* reduce(pairs) { for (const [key, value] of pairs) yield [key, value]; }
`;
const host: TaskHost = { beat: new Int32Array(2), progress: () => undefined, status: () => undefined };

/** Runs it in a directory of its own below `directory`. Never throws. */
export async function rehearse(directory: string): Promise<void> {
  const dataDir = join(directory, String(process.pid));
  try {
    // A node that is just starting may not have made its data directory, whose mode it chooses.
    if (!existsSync(dirname(directory))) return;
    mkdirSync(dataDir, { recursive: true });
    await runJob(dataDir);
  } catch {
    // A rehearsal that fails has cost nothing but time.
  }
  try {
    rmSync(dataDir, { recursive: true, force: true });
  } catch {
    // The node sweeps what is left.
  }
}

async function runJob(dataDir: string): Promise<void> {
  const packFile = join(dataDir, "jobfile");
  writeFileSync(packFile, packed());
  mkdirSync(join(dataDir, job, ".disco"), { recursive: true });
  const binding: JobBinding = {
    kind: "job",
    job,
    packFile,
    dataDir,
    jobDir: job,
    workDir: dataDir,
    host: "localhost",
    master: "",
    workerId: "0",
    dataServers: {},
  };
  const bound = BoundJob.open(binding);
  const inputs = [{ label: 0, size: 0, replicas: ["raw://one\ntwo"], hosts: [null] }];
  const mapped = await run(bound, 0, { kind: "inputs", inputs });
  const manifest: StageManifest = { stage: 0, version: 0, outputs: [{ task: 0, ref: mapped.ref }] };
  const manifestFile = join(dataDir, "manifest.json");
  writeFileSync(manifestFile, encodeManifest(manifest));
  await run(bound, 1, { kind: "stage", stage: 0, version: 0, label: 0 }, manifestFile);
  bound.segment(0).close();
}

function run(bound: BoundJob, stage: number, input: TaskInput, manifestFile?: string): Promise<TaskOutput> {
  const id = { job, stage, task: 0, attempt: 0 };
  const task = { ...id, stageName: stageNames[stage] ?? "", group: { label: 0, host: null }, input };
  return runTask(bound, manifestFile === undefined ? task : { ...task, manifestFile }, host);
}

const stageNames = ["map", "reduce"];

function packed(): Uint8Array {
  const plan = (kind: "map" | "reduce", fn: number): StagePlan => ({
    name: kind,
    kind,
    fn,
    grouping: kind === "map" ? "split" : "group_all",
    init: null,
    inputStream: [],
    outputStream: [],
    writer: null,
    combiner: null,
    partition: null,
    partitions: kind === "map" ? 1 : null,
    sort: false,
    sortOutput: false,
    final: kind === "reduce",
    concurrency: 1,
  });
  const fns = stageNames.map((name) => ({ kind: "export", module: 0, name, display: name }) as const);
  const url = `file:///${job}.js?disco=${job}`;
  const data: JobData = {
    version: 1,
    code: { portable: true, modules: [{ url, format: "module", source, insertions: [] }], fns },
    stages: [plan("map", 0), plan("reduce", 1)],
    params: encodeValue({}),
    statusInterval: 0,
    seed: 0,
    memoryLimitBytes,
    requiredModules: [],
    argv: [],
  };
  const jobdict = { prefix: job, owner: "", worker: "disco-mapreduce", pipeline: [], inputs: [] };
  return encodeJobPack({ jobdict, jobenvs: {}, files: {}, jobdata: encodeValue(data) });
}
