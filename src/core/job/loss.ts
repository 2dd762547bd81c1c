/**
 * Lost outputs. Tasks that are done may have to run again: their output was lost with a disk or a node, or was made from
 * an input that has changed since. As little as possible runs again, and the result is as if nothing had been lost.
 *
 * L1. A lost output is made again only if somebody still reads it (`demand`); when nobody does any more, it is given up
 *     (`forgo`); when its node returns first, it is found again (`bringBack`).
 * L2. The new output is compared with the old one by digest. If they are equal, consumers of the old one stay as they
 *     are. If not, those that read it, by the old labels or by the new, run again (`settle`), and so on downstream.
 * L3. `settle` waits until the producing stage is complete, so that consumers restart once, from one consistent set.
 *     A consumer that is done before `settle` does not count as such until then: J2.
 * L4. If outputs changed so that the consumers' groups are others than before (a label appeared), the stage of
 *     consumers is planned anew. This is rare: only tasks that are not deterministic do it, or `group_node`.
 *
 * The tempting simpler design, to restart consumers as soon as one output differs, lets a consumer read a mixture of
 * old and new outputs when two outputs were lost, and commit it.
 */
import { arrange } from "./concurrent.ts";
import type { JobMachine } from "./machine.ts";
import type { Group } from "./plan.ts";
import { groupKey, groupOutputs } from "./plan.ts";
import { wantedKey } from "./saving.ts";
import type { Grouping, TaskOutput } from "./spec.ts";
import type { Changed, Stage } from "./stage.ts";
import { done, gone, running, waiting } from "./stage.ts";

/** The output of a done task is out of reach, or bad and never to be used again. Call `demand` afterwards. */
export function loseOutput(stage: Stage, task: number, mayReturn: boolean): void {
  stage.move(task, gone);
  stage.missing.set(task, mayReturn);
}

/** The host's disk is gone for good, so that nothing on it can be found again. */
export function loseDisk(stage: Stage, host: string): void {
  for (const task of stage.missing.keys()) if (stage.outputs.host(task) === host) stage.missing.set(task, false);
}

/** Has lost outputs made again where a later task still reads them (L1). */
export function demand(job: JobMachine): void {
  for (let number = job.stages.length - 1; number >= 0; number--) {
    const stage = job.stages[number] as Stage;
    if (stage.count(gone) === 0) continue;
    const reads = readers(stage, job.stages[number + 1]);
    for (const task of stage.missing.keys()) if (stage.state(task) === gone && reads(task)) stage.move(task, waiting);
  }
}

/** Somebody asked for a lost output. */
export function demandOne(stage: Stage, task: number): void {
  if (stage.state(task) === gone) stage.move(task, waiting);
}

/** Gives up making outputs again that nobody reads any more, as all tasks of the next stage are done (L1). */
export function forgo(job: JobMachine): void {
  for (let number = job.stages.length - 2; number >= 0; number--) {
    const stage = job.stages[number] as Stage;
    if (stage.missing.size === stage.count(gone) || job.stages[number + 1]?.complete !== true) continue;
    for (const task of stage.missing.keys()) {
      if (stage.state(task) === gone || job.wanted.has(wantedKey(number, task))) continue;
      job.cancelAttempts(stage, task, "nobody reads its output any more");
      stage.move(task, gone);
    }
  }
}

/** Outputs on this host are within reach again, unless they are being made again at this moment (L1). */
export function bringBack(stage: Stage, host: string): void {
  for (const [task, mayReturn] of [...stage.missing]) {
    if (!mayReturn || stage.outputs.host(task) !== host || stage.state(task) === running) continue;
    stage.missing.delete(task);
    stage.move(task, done);
  }
}

/**
 * To be called before the task's new output is entered. Remembers for `settle` that the output moved or changed since
 * consumers may have read it; says whether its records changed.
 */
export function noteRecommit(stage: Stage, task: number, output: TaskOutput, next: Stage | undefined): boolean {
  const { outputs } = stage;
  if (!outputs.has(task)) return false;
  stage.version++;
  const differs = outputs.digest(task) !== output.ref.digest;
  if (next === undefined) return differs;
  const moved = outputs.host(task) !== output.ref.host && isByHost(next.spec.grouping);
  const changed: Changed = stage.changed.get(task) ?? { labels: new Set(), hosts: new Set() };
  stage.changed.set(task, changed);
  if (!differs && !moved) return differs;
  outputs.eachLabel(task, (label) => changed.labels.add(label));
  for (const { label } of output.labels) changed.labels.add(label);
  changed.hosts.add(outputs.host(task)).add(output.ref.host);
  return differs;
}

/** Restarts the consumers of changed outputs of the lowest complete stage that has some (L2-L4). */
export function settle(job: JobMachine, at: number): boolean {
  const stage = job.stages.find((one) => one.complete && one.changed.size > 0);
  if (stage === undefined) return false;
  const changed = new Map(stage.changed);
  stage.changed.clear();
  const next = job.stages[stage.number + 1];
  if (next === undefined) return true;
  const groups = groupOutputs(next.spec.grouping, stage.outputs, stage.inOrder());
  if (!hasGroups(next, groups)) {
    job.replan(next.number, at);
    return true;
  }
  const affected = consumers(next.spec.grouping, changed);
  next.groups.forEach((group, task) => {
    if (affected(group)) restart(job, next, task);
  });
  next.fillQueue();
  demand(job);
  return true;
}

function restart(job: JobMachine, stage: Stage, task: number): void {
  stage.missing.delete(task);
  const state = stage.state(task);
  if (state === running) job.cancelAttempts(stage, task, "its input changed");
  if (state === running || state === done || state === gone) stage.move(task, waiting);
}

function isByHost(grouping: Grouping): boolean {
  return grouping === "group_node" || grouping === "group_node_label";
}

/** Gives the stage its groups as they lie now, if they are the same. */
function hasGroups(stage: Stage, groups: readonly Group[]): boolean {
  if (stage.closedAt > 0) return arrange(stage, groups);
  const before = stage.groups;
  if (groups.length !== before.length) return false;
  if (groups.some((group, i) => groupKey(group) !== groupKey(before[i] as Group))) return false;
  stage.groups = groups;
  return true;
}

/** Which groups read one of the changed outputs. */
function consumers(grouping: Grouping, changed: ReadonlyMap<number, Changed>): (group: Group) => boolean {
  const labels = new Set<number>();
  const hosts = new Set<string>();
  for (const one of changed.values()) {
    for (const label of one.labels) labels.add(label);
    for (const host of one.hosts) hosts.add(host);
  }
  switch (grouping) {
    case "split":
      return (group) => (changed.get(group.task as number)?.labels.size ?? 0) > 0;
    case "group_label":
      return (group) => labels.has(group.label as number);
    case "group_node":
      return (group) => hosts.has(group.host as string);
    case "group_node_label":
      return (group) => hosts.has(group.host as string) && labels.has(group.label as number);
    case "group_all":
      return () => labels.size > 0;
  }
}

/**
 * Whether a task's output is still to be read by a task of the next stage. Who reads a label has to look into the
 * directory of every output for it, so that for label groupings only the host narrows it down.
 */
function readers(stage: Stage, next: Stage | undefined): (task: number) => boolean {
  if (next === undefined) return () => true;
  if (next.complete) return () => false;
  const { grouping } = next.spec;
  if (grouping === "group_label" || grouping === "group_all") return () => true;
  const open = new Set<number | string | null>();
  next.groups.forEach((group, task) => {
    const state = next.state(task);
    if (state !== done && state !== gone) open.add(grouping === "split" ? group.task : group.host);
  });
  return (task) => open.has(grouping === "split" ? task : stage.outputs.host(task));
}
