/**
 * Checks the invariants S1-S7, J1-J3 and C1 by counting everything anew. For tests, the simulator and `disco doctor`: it walks
 * over all tasks.
 */
import { DiscoError } from "../../errors.ts";
import type { JobMachine } from "./machine.ts";
import { groupKey, groupOutputs } from "./plan.ts";
import type { Stage, TaskState } from "./stage.ts";
import { done, gone, running, sleeping, stateNames, waiting } from "./stage.ts";

export function validateJob(job: JobMachine): void {
  let live = 0;
  for (const stage of job.stages) {
    validateStage(job, stage);
    validateOpening(job, stage);
    for (const attempts of stage.live.values()) live += attempts.length;
  }
  check(live === job.live, job, "S2", `counts ${job.live} live attempts, has ${live}`);
  check(job.live <= job.spec.scheduler.maxCores, job, "maxCores", `runs ${job.live} tasks at once`);
  if (job.status !== "active") {
    check(live === 0, job, "J3", `is ${job.status} and has ${live} live attempts`);
    check(job.endedAt !== null, job, "J3", "ended at no time");
  }
  if (job.status === "ready") {
    check(job.stages.length === job.spec.pipeline.length, job, "J2", "is ready before all stages were planned");
    check(
      job.stages.every((stage) => stage.complete),
      job,
      "J2",
      "is ready before its stages",
    );
    check(
      job.stages.every((stage) => stage.changed.size === 0),
      job,
      "J2",
      "is ready with outputs that changed",
    );
  }
}

/** An open stage has a group for each that the outputs so far make, and one that is closed exactly those. */
function validateOpening(job: JobMachine, stage: Stage): void {
  const before = job.stages[stage.number - 1];
  const { name } = stage.spec;
  if (!stage.open && stage.closedAt === 0) return;
  check(before !== undefined, job, "C1", `opened ${name}, its first stage`);
  if (stage.open) check(!before.complete, job, "C1", `keeps ${name} open, all inputs of which are there`);
  check(!stage.open || !stage.complete, job, "S7", `completed ${name}, which is open`);
  for (const attempts of stage.awaitsInput ? stage.live.values() : [])
    check(attempts.length === 1, job, "C2", `runs a task of ${name} twice, which waits for input`);
  if (!stage.open && (!before.complete || before.changed.size > 0)) return;
  const groups = groupOutputs(stage.spec.grouping, before.outputs, before.inOrder());
  if (!stage.open) check(groups.length === stage.tasks, job, "C1", `has ${stage.tasks} tasks of ${name}`);
  const order = stage.order ?? groups.map((_, place) => place);
  for (const [place, group] of groups.entries()) {
    const task = stage.taskOf(groupKey(group));
    check(task !== undefined, job, "C1", `has no task of ${name} for ${groupKey(group)}`);
    check(stage.open || task === order[place], job, "C1", `has tasks of ${name} out of order`);
  }
}

function validateStage(job: JobMachine, stage: Stage): void {
  const counts = [0, 0, 0, 0, 0];
  check(
    stage.heldUntil === 0 || stage.count(waiting) > 0,
    job,
    "W2",
    `holds back tasks of ${stage.spec.name}, of which none waits`,
  );
  for (const task of stage.startedAgain)
    check(stage.state(task) === running, job, "SP4", `started ${job.title(stage, task)} again, which does not run`);
  for (let task = 0; task < stage.tasks; task++) {
    const state = stage.state(task);
    counts[state] = (counts[state] ?? 0) + 1;
    const title = `${job.title(stage, task)} is ${stateNames[state]}`;
    const attempts = stage.live.get(task) ?? [];
    check((state === running) === attempts.length > 0, job, "S2", `${title} with ${attempts.length} live attempts`);
    if (state === done || state === gone) check(stage.outputs.has(task), job, "S3", `${title} without an output`);
    if (state === gone) check(stage.missing.has(task), job, "S5", `${title} and not missing`);
    if (state === done) check(!stage.missing.has(task), job, "S5", `${title} and missing`);
    const wakeAt = stage.troubles.get(task)?.wakeAt ?? 0;
    check((state === sleeping) === wakeAt > 0, job, "S4", `${title} and wakes at ${wakeAt}`);
    check(attempts.length <= 2, job, "SP4", `${title} with ${attempts.length} live attempts`);
    for (const { attempt } of attempts) {
      check(attempt < stage.nextAttempt(task), job, "S6", `${title} and will use attempt ${attempt} again`);
    }
  }
  counts.forEach((n, state) => {
    check(
      n === stage.count(state as TaskState),
      job,
      "S1",
      `counts ${stage.count(state as TaskState)} ${stateNames[state]} tasks, has ${n}`,
    );
  });
}

function check(holds: boolean, job: JobMachine, invariant: string, story: string): asserts holds {
  if (!holds)
    throw new DiscoError(`${invariant} is violated: job ${job.name} ${story}`, { code: "invariant", job: job.name });
}
