/** What a job's event log says, in Disco's words. */
import type { Slowness } from "../events.ts";

const msPerHour = 3_600_000;

/** `0:00:00.196`, as Disco writes durations. */
export function duration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const two = (n: number): string => String(n).padStart(2, "0");
  const seconds = Math.floor(whole / 1000);
  const fraction = String(whole % 1000).padStart(3, "0");
  return `${Math.floor(whole / msPerHour)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${fraction}`;
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

export const texts = {
  initialized: () => "New job initialized!",
  created: (job: string) => `Created job "${job}"`,
  scheduled: (stage: string, tasks: number) => `Stage ${stage} scheduled with ${tasks} tasks`,
  opened: (stage: string, before: string) => `Stage ${stage} begins while ${before} runs`,
  preempted: (task: string, host: string) =>
    `[${task}] gives its slot on ${host} to a task of a stage before, and starts again later`,
  assigned: (task: string, host: string) => `${task} assigned to ${host}`,
  done: (task: string, ms: number) => `DONE: [${task}] Task finished in ${duration(ms)}`,
  received: (task: string, host: string) => `SYS: [${task}] Received results from ${host}`,
  stageFinished: (stage: string, ms: number) => `Stage ${stage} finished in ${duration(ms)}`,
  ready: (ms: number) => `READY: Job done in ${duration(ms)}`,
  failed: (task: string, why: string) => `WARNING: [${task}] ${why}`,
  retrying: (task: string, host: string, failures: number, delayMs: number) =>
    `Task ${task} failed on "${host}", ${counted(failures, "failure")} so far. ` +
    (delayMs === 0 ? "Retrying." : `Sleeping ${counted(delayMs / 1000, "second")} before retrying.`),
  fatal: (task: string, why: string) => `FATAL: [${task}] ${why}`,
  gaveUp: (task: string, failures: number, why: string) =>
    `ERROR: [${task}] Task ${task} failed ${counted(failures, "time")}: ${why}.`,
  failedTooOften: (task: string, failures: number, most: number) =>
    `ERROR: [${task}] Task ${task} failed ${counted(failures, "time")}. At most ${counted(most, "failure")} are allowed.`,
  lost: (task: string, host: string, why: string) => `WARNING: [${task}] lost on ${host}: ${why}`,
  /** `tasks`: those that are named, of all. */
  lostMany: (tasks: readonly string[], all: number, host: string, why: string) =>
    `WARNING: ${counted(all, "task")} lost on ${host} (${tasks.join(", ")}` +
    `${all > tasks.length ? ` and ${all - tasks.length} more` : ""}), queued there or running: ${why}`,
  outputLost: (task: string, host: string) =>
    `WARNING: [${task}] its output on ${host} is lost; the task runs again if that is needed`,
  outputChanged: (task: string) =>
    `WARNING: [${task}] wrote other records than the first time: its function is not deterministic; tasks that read it run again`,
  startedAgain: (task: string, host: string, slow: Slowness | undefined) =>
    slow === undefined
      ? `${task} started again on ${host}`
      : `${task} is slow (it runs for ${duration(slow.ageMs)}, and half of the ${slow.doneTasks} tasks that are done took ` +
        `${duration(slow.medianMs)} or less): started again on ${host}`,
  quarantined: (host: string, ms: number, why: string) =>
    `WARNING: node ${host} gets no tasks for ${duration(ms)}: ${why}`,
  superseded: (task: string, host: string) => `[${task}] the attempt on ${host} was first, the other one is stopped`,
  replanned: (stage: string) => `WARNING: Stage ${stage} is planned anew, as the outputs of the stage before changed`,
  saving: () => "Saving results to DDFS",
  saved: () => "Results are saved",
  notSaved: (why: string) => `WARNING: the results are not saved yet: ${why}`,
  killed: () => "WARN: Job killed",
  dead: (reason: string) => `ERROR: Job is dead: ${reason}`,
} as const;
