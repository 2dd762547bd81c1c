/** The tasks of a job, one by one, for people and programs: one walk over the states, and details only of those that are shown. */
import type { TaskInfo, TaskPage, TaskQuery, TaskStatus } from "../../client/master-api.ts";
import { TaskReasons } from "../scheduler/reasons.ts";
import type { JobMachine } from "./machine.ts";
import { nobodysTrouble } from "./retry.ts";
import type { Stage } from "./stage.ts";
import { done, gone, stateNames, waiting } from "./stage.ts";

/** Tasks a page if nothing is said, and at most. */
export const pageTasks = 100;
export const pageTasksMax = 1_000;

/** `progress` of attempts is `null`: it is not journaled, and whoever hears of it fills it in. */
export function tasksOf(job: JobMachine, query: TaskQuery): TaskPage {
  const from = Math.max(0, query.offset ?? 0);
  const limit = Math.min(Math.max(1, query.limit ?? pageTasks), pageTasksMax);
  const state = query.status === undefined ? null : stateNames.indexOf(query.status);
  const stages = job.stages.filter((stage) => query.stage === undefined || stage.spec.name === query.stage);
  const reasons = new TaskReasons(job);
  const tasks: TaskInfo[] = [];
  let total = 0;
  for (const stage of stages) {
    const matching = countOf(stage, state);
    if (tasks.length < limit && total + matching > from) {
      let number = total;
      for (let task = 0; task < stage.tasks && tasks.length < limit; task++) {
        if (state !== null && stage.state(task) !== state) continue;
        if (number++ >= from) tasks.push(taskOf(stage, task, reasons));
      }
    }
    total += matching;
  }
  const next = from + tasks.length;
  return { tasks, total, next: tasks.length > 0 && next < total ? next : null };
}

function countOf(stage: Stage, state: number | null): number {
  return state === null ? stage.tasks : (stage.counts[state] ?? 0);
}

function taskOf(stage: Stage, task: number, reasons: TaskReasons): TaskInfo {
  const state = stage.state(task);
  const { failures, lost, wakeAt } = stage.troubles.get(task) ?? nobodysTrouble;
  const group = stage.group(task);
  const { outputs } = stage;
  const committed = state === done || state === gone;
  return {
    stage: stage.spec.name,
    task,
    status: stateNames[state] satisfies TaskStatus,
    waits: state === waiting ? reasons.of(stage, task) : null,
    wakeAt: wakeAt > 0 ? wakeAt : null,
    attempts: (stage.live.get(task) ?? []).map(({ attempt, host, at, speculative }) => ({
      attempt,
      host,
      startedAt: at,
      speculative: speculative === true,
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
