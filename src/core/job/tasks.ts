/** The tasks of a job, one by one, for people and programs: one walk over the states, and details only of those that are shown. */
import type { TaskInfo, TaskPage, TaskQuery, TaskStatus } from "../../client/master-api.ts";
import { TaskReasons } from "../scheduler/reasons.ts";
import { runningTasks } from "./info.ts";
import type { JobMachine } from "./machine.ts";
import { nobodysTrouble } from "./retry.ts";
import type { Attempt, Stage } from "./stage.ts";
import { done, gone, running, stateNames, waiting } from "./stage.ts";

/** Tasks a page if nothing is said, and at most. */
export const pageTasks = 100;
export const pageTasksMax = 1_000;

/**
 * `runs`: those of all live attempts that run. `progress` of attempts is `null`: it is not journaled, and whoever hears of it
 * fills it in.
 */
export function tasksOf(job: JobMachine, query: TaskQuery, runs: ReadonlySet<Attempt>): TaskPage {
  const from = Math.max(0, query.offset ?? 0);
  const limit = Math.min(Math.max(1, query.limit ?? pageTasks), pageTasksMax);
  const stages = job.stages.filter((stage) => query.stage === undefined || stage.spec.name === query.stage);
  const reasons = new TaskReasons(job);
  const tasks: TaskInfo[] = [];
  let total = 0;
  for (const stage of stages) {
    const matching = countOf(stage, query.status, runs);
    if (tasks.length < limit && total + matching > from) {
      let number = total;
      for (let task = 0; task < stage.tasks && tasks.length < limit; task++) {
        const status = statusOf(stage, task, runs);
        if (query.status !== undefined && status !== query.status) continue;
        if (number++ >= from) tasks.push(taskOf(stage, task, status, reasons));
      }
    }
    total += matching;
  }
  const next = from + tasks.length;
  return { tasks, total, next: tasks.length > 0 && next < total ? next : null };
}

function countOf(stage: Stage, status: TaskStatus | undefined, runs: ReadonlySet<Attempt>): number {
  if (status === undefined) return stage.tasks;
  if (status === "running") return runningTasks(stage, runs);
  if (status === "queued") return stage.count(running) - runningTasks(stage, runs);
  return stage.counts[stateNames.indexOf(status)] ?? 0;
}

function statusOf(stage: Stage, task: number, runs: ReadonlySet<Attempt>): TaskStatus {
  const state = stage.state(task);
  if (state !== running) return stateNames[state];
  return stage.live.get(task)?.some((attempt) => runs.has(attempt)) === true ? "running" : "queued";
}

function taskOf(stage: Stage, task: number, status: TaskStatus, reasons: TaskReasons): TaskInfo {
  const state = stage.state(task);
  const { failures, lost, wakeAt } = stage.troubles.get(task) ?? nobodysTrouble;
  const group = stage.group(task);
  const { outputs } = stage;
  const committed = state === done || state === gone;
  return {
    stage: stage.spec.name,
    task,
    status,
    waits: state === waiting ? reasons.of(stage, task) : null,
    wakeAt: wakeAt > 0 ? wakeAt : null,
    attempts: (stage.live.get(task) ?? []).map((live) => ({
      attempt: live.attempt,
      host: live.host,
      startedAt: stage.beganAt(live) ?? null,
      speculative: live.speculative === true,
      progress: null,
    })),
    attemptsMade: stage.nextAttempt(task) - stage.firstAttempt,
    failures,
    lost,
    label: group.label,
    bytesTotal: group.bytes,
    done: committed ? { host: outputs.host(task), ...outputs.records(task) } : null,
  };
}
