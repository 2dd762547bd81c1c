/**
 * A running job as JSON, and back. A function of the state alone (sorted where the state is a set), so that two machines
 * are in the same state if and only if their snapshots are the same text.
 */
import type { Cluster } from "../scheduler/cluster.ts";
import { JobMachine } from "./machine.ts";
import type { OutputColumns } from "./output-columns.ts";
import type { Group } from "./plan.ts";
import { groupInputs } from "./plan.ts";
import type { Trouble } from "./retry.ts";
import type { Saving } from "./saving.ts";
import type { JobSpec, TaskOutput } from "./spec.ts";
import type { Attempt, TaskState, Used } from "./stage.ts";
import { Stage, unused, waiting } from "./stage.ts";

export interface JobSnapshot {
  readonly name: string;
  readonly spec: JobSpec;
  readonly submittedAt: number;
  readonly peakRss: number;
  readonly used: readonly Used[];
  readonly hosts: readonly string[];
  /** Absent before version 2. */
  readonly lines?: number;
  /** Absent before version 3. */
  readonly holders?: readonly string[];
  /** Absent: the journal does not say. */
  readonly packSha256?: string;
  /** Absent: nothing of it was ever saved. */
  readonly saving?: SavingSnapshot;
  readonly stages: readonly StageSnapshot[];
}

interface SavingSnapshot {
  readonly now: Saving | null;
  readonly saves: number;
  readonly failures: number;
  readonly wanted: readonly string[];
}

interface StageSnapshot {
  readonly plannedAt: number;
  readonly version: number;
  readonly failed: number;
  /** `null`: those of the job's inputs. */
  readonly groups: readonly Group[] | null;
  /** One digit a task. */
  readonly states: string;
  readonly nextAttempts: readonly number[];
  readonly live: readonly (readonly [task: number, attempts: readonly Attempt[]])[];
  readonly troubles: readonly (readonly [task: number, trouble: Trouble])[];
  readonly missing: readonly (readonly [task: number, mayReturn: boolean])[];
  readonly changed: readonly (readonly [task: number, labels: readonly number[], hosts: readonly string[]])[];
  /** Columns; before version 2 an entry a task. */
  readonly outputs: OutputColumns | readonly (readonly [task: number, output: TaskOutput])[];
  /** These are absent before version 2. */
  readonly heldUntil?: number;
  readonly durations?: readonly (readonly [bucket: number, count: number])[];
  readonly startedAgain?: readonly number[];
  /** Of stages that are, or were, open. */
  readonly open?: true;
  readonly closedAt?: number;
  readonly order?: readonly number[];
}

export function snapshotJob(job: JobMachine): JobSnapshot {
  return {
    name: job.name,
    spec: job.spec,
    submittedAt: job.submittedAt,
    peakRss: job.peakRss,
    used: job.used.slice(),
    hosts: [...job.hosts].sort(),
    lines: job.out.lines,
    holders: job.holders,
    ...(job.packSha256 === null ? {} : { packSha256: job.packSha256 }),
    ...(job.saves === 0
      ? {}
      : { saving: { now: job.saving, saves: job.saves, failures: job.saveFailures, wanted: [...job.wanted].sort() } }),
    stages: job.stages.map(snapshotStage),
  };
}

export function restoreJob(from: JobSnapshot, cluster: Cluster): JobMachine {
  const job = new JobMachine(from.name, from.spec, cluster, from.submittedAt);
  job.peakRss = from.peakRss;
  job.out.lines = from.lines ?? 0;
  job.holders = from.holders ?? [];
  job.packSha256 = from.packSha256 ?? null;
  if (from.saving !== undefined) {
    job.saving = from.saving.now;
    job.saves = from.saving.saves;
    job.saveFailures = from.saving.failures;
    for (const key of from.saving.wanted) job.wanted.add(key);
  }
  from.used.forEach((used, number) => {
    job.used[number] = used;
  });
  for (const host of from.hosts) job.hosts.add(host);
  from.stages.forEach((one, number) => {
    const stage = restoreStage(one, number, from.spec, from.used[number] ?? unused);
    job.adopt(stage);
    for (const attempts of stage.live.values()) {
      for (const { host } of attempts) {
        job.live++;
        cluster.occupy(host, stage.awaitsInput);
      }
    }
  });
  return job;
}

function snapshotStage(stage: Stage): StageSnapshot {
  let states = "";
  const nextAttempts: number[] = [];
  for (let task = 0; task < stage.tasks; task++) {
    states += stage.state(task);
    nextAttempts.push(stage.nextAttempt(task));
  }
  return {
    plannedAt: stage.plannedAt,
    version: stage.version,
    failed: stage.failed,
    groups: stage.number === 0 ? null : stage.groups,
    states,
    nextAttempts,
    live: byTask(stage.live),
    troubles: byTask(stage.troubles),
    missing: byTask(stage.missing),
    changed: byTask(stage.changed).map(([task, { labels, hosts }]) => [
      task,
      [...labels].sort((a, b) => a - b),
      [...hosts].sort(),
    ]),
    outputs: stage.outputs.columns(),
    heldUntil: stage.heldUntil,
    durations: stage.durations.entries(),
    startedAgain: [...stage.startedAgain].sort((a, b) => a - b),
    ...(stage.open ? { open: true } : {}),
    ...(stage.closedAt > 0 ? { closedAt: stage.closedAt } : {}),
    ...(stage.order === null ? {} : { order: stage.order }),
  };
}

function restoreStage(from: StageSnapshot, number: number, spec: JobSpec, used: Used): Stage {
  const stageSpec = spec.pipeline[number] as (typeof spec.pipeline)[number];
  const given = from.groups ?? groupInputs(stageSpec.grouping, spec.inputs);
  // One that is open changes them.
  const groups = from.open === true ? [...given] : given;
  const stage = new Stage(number, stageSpec, groups, from.plannedAt, used);
  stage.version = from.version;
  stage.failed = from.failed;
  for (const [task, trouble] of from.troubles) {
    stage.troubles.set(task, structuredCopy(trouble));
  }
  from.nextAttempts.forEach((next, task) => stage.setNextAttempt(task, next));
  for (let task = 0; task < stage.tasks; task++) {
    const state = Number(from.states[task]) as TaskState;
    if (state !== waiting) stage.move(task, state);
  }
  for (const [task, attempts] of from.live) stage.live.set(task, [...attempts]);
  for (const [task, mayReturn] of from.missing) stage.missing.set(task, mayReturn);
  for (const [task, labels, hosts] of from.changed)
    stage.changed.set(task, { labels: new Set(labels), hosts: new Set(hosts) });
  if ("tasks" in from.outputs) stage.outputs.fill(from.outputs);
  else for (const [task, output] of from.outputs) stage.outputs.set(task, output);
  stage.heldUntil = from.heldUntil ?? 0;
  for (const [bucket, count] of from.durations ?? []) stage.durations.addTo(bucket, count);
  for (const task of from.startedAgain ?? []) stage.startedAgain.add(task);
  stage.open = from.open ?? false;
  stage.closedAt = from.closedAt ?? 0;
  stage.order = from.order ?? null;
  // What came in which order was told by another master: nodes ask this one for all of it.
  if (spec.pipeline[number + 1]?.concurrent === true)
    for (let task = 0; task < stage.tasks; task++) if (stage.outputs.has(task)) stage.came.push(task);
  return stage;
}

function structuredCopy(trouble: Trouble): Trouble {
  const { failedOn } = trouble;
  return {
    ...trouble,
    counts: { ...trouble.counts },
    avoid: [...trouble.avoid],
    ...(failedOn === undefined
      ? {}
      : { failedOn: Object.fromEntries(Object.entries(failedOn).map(([key, hosts]) => [key, [...hosts]])) }),
  };
}

function byTask<T>(map: ReadonlyMap<number, T>): [number, T][] {
  return [...map].sort(([a], [b]) => a - b);
}
