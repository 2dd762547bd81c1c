/**
 * What a spare worker does while nobody needs it: small jobs of one map and one reduce, all by itself, in a directory of its own.
 *
 * The first task of a process costs 20 ms more than the hundredth: hundreds of functions run for the first time and are compiled
 * then, and V8 keeps what it has learnt of a function only when that has run several times. Rehearsals move this from the job's
 * time to idle time. They go through the worker's own loop, from the message that names the job to the report of its last task,
 * only that nobody hears the reports. Two kinds take turns: functions that return pairs, unsorted; and functions that yield them,
 * sorted, with a combiner.
 *
 * R1. As soon as a message has come, no further rehearsal begins: a job waits for one of them at most, a few milliseconds.
 * R2. Afterwards the process is as it was: directory, command line, no job.
 * R3. Whatever goes wrong in it is nobody's concern: the real job will tell.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { OutputRef, StageManifest, TaskInput } from "../core/job/spec.ts";
import type { JobData, StagePlan } from "../protocol/job-data.ts";
import { encodeJobPack } from "../protocol/jobpack.ts";
import { encodeManifest } from "../protocol/manifest-file.ts";
import type { FromWorker, ToWorker } from "../protocol/messages.ts";
import { encodeValue } from "../protocol/value.ts";

type Report = Extract<FromWorker, { kind: "done" | "failed" }>;
/** Who waits for the end of a task. */
type Waiter = (report: Report) => void;

/** The worker, as far as a rehearsal needs it. */
export interface Stage {
  /** As if the message had come from the node. */
  handle(message: ToWorker): void;
  /** From now on the worker's messages go here; `null`: to the node. */
  divert(listener: ((message: FromWorker) => void) | null): void;
  /** A message has come: the process is needed. */
  isWanted(): boolean;
}

/** Each costs 2 to 5 ms of idle time; from here on they gain little. */
export const rehearsals = 6;
const job = "rehearsal";
/** A usual one: what is allocated for it shall be what jobs allocate. */
const memoryLimitBytes = 1024 ** 3;
const source = `
let one, all;
export const emitter = (pair, pairs) => { one = pair; all = pairs; };
export const map = (line) => [[line, 1]];
export const reduce = (pairs) => { all(pairs); };
export const words = (line) => { for (const word of line.split(" ")) one(word, 1); };
export const combine = (key, value, buffer) => { buffer.set(key, (buffer.get(key) ?? 0) + value); };
export function* sums(pairs) { for (const pair of pairs) yield pair; }
`;
const fns = { map: 0, reduce: 1, words: 2, combine: 3, sums: 4 };
const direct: ReadonlySet<string> = new Set(["reduce", "words"]);
const stageNames = ["map", "reduce"];

/** Runs them in a directory of its own below `directory`; resolves with how many came to their end. Never rejects. */
export async function rehearse(directory: string, stage: Stage): Promise<number> {
  const dataDir = join(directory, String(process.pid));
  const [cwd, { argv }] = [process.cwd(), process];
  let done = 0;
  try {
    // A node that is just starting may not have made its data directory, whose mode it chooses.
    if (!existsSync(dirname(directory))) return 0;
    mkdirSync(dataDir, { recursive: true });
    for (; done < rehearsals && !stage.isWanted(); done++) await runJob(dataDir, done, stage);
  } catch {
    // A rehearsal that fails has cost nothing but time.
  }
  stage.divert(null);
  try {
    process.chdir(cwd);
    process.argv = argv;
    rmSync(dataDir, { recursive: true, force: true });
  } catch {
    // The node sweeps what is left.
  }
  return done;
}

async function runJob(dataDir: string, number: number, stage: Stage): Promise<void> {
  let waiter: Waiter = () => undefined;
  stage.divert((message) => {
    if (message.kind === "done" || message.kind === "failed") waiter(message);
  });
  const jobDir = `${job}-${number}`;
  const packFile = join(dataDir, `jobfile-${number}`);
  writeFileSync(packFile, packed(number % 2 === 1));
  mkdirSync(join(dataDir, jobDir, ".disco"), { recursive: true });
  const place = { packFile, dataDir, jobDir, workDir: dataDir };
  stage.handle({ kind: "job", job, ...place, host: "localhost", master: "", workerId: "0", dataServers: {} });
  const run = async (at: number, input: TaskInput, manifest: { manifestFile?: string } = {}): Promise<OutputRef> => {
    const report = new Promise<Report>((resolve) => (waiter = resolve));
    const id = { job, stage: at, task: 0, attempt: 0 };
    const task = { ...id, stageName: stageNames[at] ?? "", group: { label: 0, host: null }, input, ...manifest };
    stage.handle({ kind: "tasks", tasks: [task] });
    const ended = await report;
    if (ended.kind === "failed") throw new Error(ended.failure.message);
    return ended.output.ref;
  };
  try {
    const inputs = [{ label: 0, size: 0, replicas: ["raw://one two\ntwo"], hosts: [null] }];
    const ref = await run(0, { kind: "inputs", inputs });
    const manifest: StageManifest = { stage: 0, version: 0, outputs: [{ task: 0, ref }] };
    const manifestFile = join(dataDir, `manifest-${number}.json`);
    writeFileSync(manifestFile, encodeManifest(manifest));
    await run(1, { kind: "stage", stage: 0, version: 0, label: 0 }, { manifestFile });
  } finally {
    stage.handle({ kind: "release" });
  }
}

function packed(isSorted: boolean): Uint8Array {
  const url = `file:///${job}.js?disco=${job}`;
  const shipped = Object.keys(fns).map((name) => {
    const ref = { kind: "export", module: 0, name, display: name } as const;
    return direct.has(name) ? { ...ref, emitter: "emitter" } : ref;
  });
  const data: JobData = {
    version: 1,
    code: { portable: true, modules: [{ url, format: "module", source, insertions: [] }], fns: shipped },
    stages: isSorted
      ? [plan("map", fns.words, { sortOutput: true, combiner: fns.combine }), plan("reduce", fns.sums, { sort: true })]
      : [plan("map", fns.map), plan("reduce", fns.reduce)],
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

function plan(kind: "map" | "reduce", fn: number, special: Partial<StagePlan> = {}): StagePlan {
  return {
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
    ...special,
  };
}
