/** What is told of stages: addresses of outputs, and how many tasks there are. */
import type { JobInfo, StageInfo } from "../client/master-api.ts";
import { stageResultsOf } from "../core/job/info.ts";
import { done, gone, running, sleeping, waiting } from "../core/job/stage.ts";
import type { MasterMachine } from "../core/master.ts";
import { DiscoError } from "../errors.ts";
import type { MasterCounts } from "./served-master.ts";

/** Of the active jobs, from the counters of their stages. */
export function taskCounts(machine: MasterMachine): MasterCounts["tasks"] {
  const counts = { waiting: 0, queued: 0, running: 0, done: 0, failed: 0 };
  for (const { stages } of machine.jobs.values()) {
    for (const stage of stages) {
      counts.waiting += stage.count(waiting) + stage.count(sleeping);
      const tasksThatRun = machine.runningTasks(stage);
      counts.queued += stage.count(running) - tasksThatRun;
      counts.running += tasksThatRun;
      counts.done += stage.count(done) + stage.count(gone);
      counts.failed += stage.failed;
    }
  }
  return counts;
}

/** @throws DiscoError `unknown-stage` */
export function stageNumber(job: string, stages: readonly StageInfo[], stage: string): number {
  const number = stages.findIndex((one) => one.stage === stage);
  if (number >= 0) return number;
  const names = stages.map((one) => one.stage).join(", ");
  throw new DiscoError(`${job} has no stage ${stage}`, {
    code: "unknown-stage",
    job,
    hint: `Its stages are ${names}.`,
  });
}

/** Addresses of the outputs of one stage. @throws DiscoError `unknown-stage`, `stage-not-ended`, `stage-gone` */
export function stageResults(machine: MasterMachine, info: JobInfo, stage: string): string[] {
  const { name } = info;
  const number = stageNumber(name, info.stages, stage);
  const kept = machine.ended.get(name)?.outputs?.[number];
  if (kept !== undefined) return [...kept];
  if (number === info.stages.length - 1 && info.status === "ready") return [...info.results];
  const job = machine.jobs.get(name);
  const found = job?.stages[number];
  if (job === undefined || found === undefined || !found.complete) {
    throw info.status === "active" ? notEnded(name, stage) : leftNothing(info, stage);
  }
  return stageResultsOf(found, job.spec);
}

function notEnded(job: string, stage: string): DiscoError {
  return new DiscoError(`stage ${stage} of ${job} has not ended`, {
    code: "stage-not-ended",
    job,
    hint: `\`disco wait ${job}\` shows how far it is.`,
  });
}

/** The addresses of a stage are forgotten with the job's end, also where its files are kept. */
function leftNothing({ name, status, stages }: JobInfo, stage: string): DiscoError {
  const hint =
    status === "ready"
      ? `Addresses of a stage are known from its end to that of the job. What the job has made: \`disco results ${name}\`. A job that ends with ${stage} has its outputs as results.`
      : `\`disco job ${name}\` says why it is dead.`;
  const why = stages.at(-1)?.stage === stage ? "has no results" : "has left nothing, now that the job has ended";
  return new DiscoError(`stage ${stage} of ${name} ${why}`, { code: "stage-gone", job: name, hint });
}
