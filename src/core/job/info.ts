/** What people and programs ask about a job, from the machine's counters: nothing here walks over tasks, but for `oob`. */
import type { JobInfo, StageInfo } from "../../client/master-api.ts";
import { reasonsOf } from "../scheduler/reasons.ts";
import { resultsOf } from "./ending.ts";
import type { JobMachine } from "./machine.ts";
import type { JobSpec, Label, OobRef, OutputRef, StageManifest } from "./spec.ts";
import type { Attempt, Stage } from "./stage.ts";
import { done, gone, running, sleeping, waiting } from "./stage.ts";

/** An out-of-band value, and the node that holds its file. */
export interface OobEntry extends OobRef {
  readonly host: string;
}

/** Of a job without live attempts. */
export const nothingRuns: ReadonlySet<Attempt> = new Set();

/** `runs`: those of all live attempts that run. `inputs`: whether to name them. */
export function infoOf(job: JobMachine, runs: ReadonlySet<Attempt>, inputs = true): JobInfo {
  return {
    name: job.name,
    status: job.status,
    owner: job.spec.owner,
    ...(job.spec.worker === undefined ? {} : { worker: job.spec.worker.path }),
    submittedAt: job.submittedAt,
    endedAt: job.endedAt,
    stages: stagesOf(job, runs),
    inputs: inputs ? job.addresses() : [],
    results: job.results,
    hosts: runningHosts(job, runs),
    waits: reasonsOf(job, job.cluster),
    reason: job.reason,
    failure: job.failure,
    peakRss: job.peakRss,
  };
}

/** One entry a stage of the pipeline; those that are not planned yet have no tasks. */
function stagesOf(job: JobMachine, runs: ReadonlySet<Attempt>): StageInfo[] {
  return job.spec.pipeline.map((spec, number) => {
    const stage = job.stages[number];
    if (stage === undefined) return notPlanned(spec.name);
    const tasksThatRun = runningTasks(stage, runs);
    return {
      stage: spec.name,
      tasks: stage.tasks,
      waiting: stage.count(waiting) + stage.count(sleeping),
      queued: stage.count(running) - tasksThatRun,
      running: tasksThatRun,
      done: stage.count(done) + stage.count(gone),
      failed: stage.failed,
      recordsIn: stage.outputs.recordsIn,
      recordsOut: stage.outputs.recordsOut,
      bytesIn: stage.outputs.bytesIn,
      bytesTotal: stage.bytesTotal,
    };
  });
}

function notPlanned(stage: string): StageInfo {
  return {
    stage,
    tasks: 0,
    waiting: 0,
    queued: 0,
    running: 0,
    done: 0,
    failed: 0,
    recordsIn: 0,
    recordsOut: 0,
    bytesIn: 0,
    bytesTotal: 0,
  };
}

/** Tasks of which an attempt runs. */
export function runningTasks({ live }: Stage, runs: ReadonlySet<Attempt>): number {
  let tasks = 0;
  for (const attempts of live.values()) if (attempts.some((attempt) => runs.has(attempt))) tasks++;
  return tasks;
}

/** Node names, one for each attempt that runs. */
function runningHosts(job: JobMachine, runs: ReadonlySet<Attempt>): string[] {
  const attempts = job.stages.flatMap(({ live }) => [...live.values()].flat());
  return attempts.filter((attempt) => runs.has(attempt)).map(({ host }) => host);
}

/**
 * The last known outputs of a stage, `null` before it was complete for the first time. Lost ones are among them: whoever
 * still reads one finds it missing and says so. Left out, it would be missed by nobody.
 */
export function manifestOf(stage: Stage, { spec }: Pick<JobMachine, "spec">): StageManifest | null {
  const outputs: { task: number; ref: OutputRef; labels?: readonly Label[] }[] = [];
  for (let task = 0; task < stage.tasks; task++) {
    if (!stage.outputs.has(task)) return null;
    const ref = stage.outputs.ref(task);
    if (spec.worker === undefined) outputs.push({ task, ref });
    else outputs.push({ task, ref, labels: stage.outputs.labels(task).map(({ label }) => label) });
  }
  return { stage: stage.number, version: stage.version, outputs };
}

/** Addresses of the outputs of a complete stage, by task. */
export function stageResultsOf(stage: Stage, { worker }: Pick<JobSpec, "worker">): string[] {
  if (worker !== undefined) return resultsOf(stage, { worker });
  const { outputs, tasks } = stage;
  return Array.from({ length: tasks }, (_, task) => {
    const { host, file } = outputs.ref(task);
    return outputs.index(task) ?? `disco://${host}/disco/${file}`;
  });
}

/** Out-of-band values, one a key: where several tasks put the same key, the later stage, then the higher task wins. */
export function oobOf(job: JobMachine): OobEntry[] {
  const byKey = new Map<string, OobEntry>();
  for (const { outputs } of job.stages) {
    for (const task of outputs.tasksWithOob()) {
      for (const ref of outputs.oob(task)) byKey.set(ref.key, { ...ref, host: outputs.host(task) });
    }
  }
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}
