/**
 * Stages that run beside the stage before them (Disco 0.5: `concurrent` in a pipeline). Only workers that a job brings along can:
 * they ask for inputs until they are told that there are no more.
 *
 *   the stage before:  ├─ runs ── first output ────── further outputs ────── complete ─┤
 *   this stage:                        └▶ open: gets tasks ── and their inputs ──▶ closed: as if planned just now
 *
 * C1. A stage is open from the first output of the stage before that makes a task, until the stage before is complete and what
 *     changed in it is settled. Then its groups are those that `groupOutputs` makes of the complete outputs; a stage that has others
 *     is planned anew. Only the numbers of its tasks tell that it was open: it keeps the order of groups beside (`Stage.order`), by
 *     which its outputs are read and its results named, so that these do not depend on timing.
 * C2. Attempts of tasks that wait for input hold slots until the stage before is complete. So that it can be: such a task starts
 *     only when nothing of the stages before waits for a slot or is made again, and in a slot of its own; nothing is queued behind
 *     it (`scheduler/cluster.ts`); and if a task of a stage before has to run again and finds no slot, one of them gives up its
 *     own (`scheduler/preemption.ts`).
 * C3. A task that ends before its stage is closed has chosen to do without the rest, which the protocol allows.
 * C4. Inputs that are lost or change under an open task are dealt with as for others (`loss.ts`), when the stage before is complete:
 *     until then no open task that reads all of its input can be done.
 *
 * A further output costs as much as it has labels.
 */
import type { JobMachine } from "./machine.ts";
import type { Group } from "./plan.ts";
import { groupKey, groupOutputs } from "./plan.ts";
import { Stage } from "./stage.ts";
import { texts } from "./texts.ts";

/** The next stage is one that takes outputs as they come. */
export function feedsNext(job: JobMachine, stage: Stage): boolean {
  return job.spec.pipeline[stage.number + 1]?.concurrent === true;
}

/** The task's output is there, for the first time or not, and its stage is not complete: the next stage begins, or grows. */
export function feedNext(job: JobMachine, stage: Stage, task: number, isFirst: boolean, at: number): void {
  const number = stage.number + 1;
  const spec = job.spec.pipeline[number];
  let next = job.stages[number];
  if (spec?.concurrent !== true || (next !== undefined && !next.open)) return;
  const groups = groupOutputs(spec.grouping, stage.outputs, [task]);
  if (groups.length === 0) return;
  if (next === undefined) {
    next = new Stage(number, spec, [], at, job.used[number]);
    next.open = true;
    job.adopt(next);
    job.out.log(at, texts.opened(spec.name, stage.spec.name));
  }
  for (const group of groups) {
    const known = next.taskOf(groupKey(group));
    if (known === undefined) next.grow(group);
    else if (isFirst) next.feed(known, group.bytes);
  }
}

/** Closes the stage after the lowest complete one, if it is open. Says whether one was. */
export function closeNext(job: JobMachine, at: number): boolean {
  const next = job.stages.find((stage) => stage.open && job.stages[stage.number - 1]?.complete === true);
  const before = next === undefined ? undefined : job.stages[next.number - 1];
  if (next === undefined || before === undefined) return false;
  const groups = groupOutputs(next.spec.grouping, before.outputs, before.inOrder());
  for (const group of groups) if (next.taskOf(groupKey(group)) === undefined) next.grow(group);
  job.out.log(at, texts.stageFinished(before.spec.name, at - before.plannedAt));
  if (arrange(next, groups)) {
    close(job, next, at);
    job.out.log(at, texts.scheduled(next.spec.name, next.tasks));
  } else job.replan(next.number, at);
  return true;
}

/** Gives the stage these groups, if it has the same by other numbers, or as they lay before. Says whether it has. */
export function arrange(stage: Stage, groups: readonly Group[]): boolean {
  if (groups.length !== stage.tasks) return false;
  const byTask = new Array<Group>(groups.length);
  const order = new Array<number>(groups.length);
  for (const [place, group] of groups.entries()) {
    const task = stage.taskOf(groupKey(group));
    if (task === undefined) return false;
    byTask[task] = group;
    order[place] = task;
  }
  stage.groups = byTask;
  stage.order = order.every((task, place) => task === place) ? null : order;
  return true;
}

function close(job: JobMachine, stage: Stage, at: number): void {
  const { awaitsInput } = stage;
  stage.open = false;
  stage.closedAt = at;
  stage.bytesTotal = stage.groups.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const attempts of awaitsInput ? stage.live.values() : []) {
    for (const { host } of attempts) job.cluster.fed(host);
  }
  // Placed by where all of the input lies.
  stage.fillQueue();
}
