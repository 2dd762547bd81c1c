/** What people and programs ask about a job, from the machine's counters: nothing here walks over tasks, but for `oob`. */
import type { JobInfo, StageInfo } from "../../client/master-api.ts";
import { reasonsOf } from "../scheduler/reasons.ts";
import { resultsOf } from "./ending.ts";
import type { JobMachine } from "./machine.ts";
import type { JobSpec, ManifestMark, ManifestPart, OobRef, StageManifest } from "./spec.ts";
import type { Attempt, Stage } from "./stage.ts";
import { done, gone, running, sleeping, unused, waiting } from "./stage.ts";

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
 * The last known outputs of a stage, in the order of its groups; `null` before it was complete for the first time. Lost ones are
 * among them: whoever still reads one finds it missing and says so. Left out, it would be missed by nobody.
 */
export function manifestOf(stage: Stage, job: Pick<JobMachine, "spec">): StageManifest | null {
  if (stage.open) return null;
  const outputs: ManifestEntry[] = [];
  for (const task of stage.inOrder()) {
    if (!stage.outputs.has(task)) return null;
    outputs.push(entryOf(stage, task, job));
  }
  return { stage: stage.number, version: stage.version, outputs };
}

/** Addresses of the outputs of a complete stage, in the order of its groups. */
export function stageResultsOf(stage: Stage, { worker }: Pick<JobSpec, "worker">): string[] {
  if (worker !== undefined) return resultsOf(stage, { worker });
  const { outputs } = stage;
  return [...stage.inOrder()].map((task) => {
    const { host, file } = outputs.ref(task);
    return outputs.index(task) ?? `disco://${host}/disco/${file}`;
  });
}

/**
 * What has come of a stage since the mark, for tasks of the next stage, if that takes outputs as they come (`concurrent.ts`); `null`:
 * from the beginning. An output that was made again has come again.
 */
export function manifestPartOf(stage: Stage, job: JobMachine, since: ManifestMark | null): ManifestPart {
  const log = `${job.cluster.epoch}.${(job.used[stage.number] ?? unused).versions}`;
  const from = since?.log === log ? since.at : 0;
  const outputs = [...new Set(stage.came.slice(from))].map((task) => entryOf(stage, task, job));
  const next = job.stages[stage.number + 1];
  return {
    stage: stage.number,
    version: stage.version,
    outputs,
    ...((next === undefined ? !stage.complete : next.open) ? { open: true } : {}),
    mark: { log, at: stage.came.length },
  };
}

type ManifestEntry = StageManifest["outputs"][number];

function entryOf({ outputs }: Stage, task: number, { spec }: Pick<JobMachine, "spec">): ManifestEntry {
  const ref = outputs.ref(task);
  return spec.worker === undefined
    ? { task, ref }
    : { task, ref, labels: outputs.labels(task).map(({ label }) => label) };
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
