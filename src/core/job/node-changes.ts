/** What it means for one job that a node is lost, comes back, or says what it has. Nothing, if the job has ended. */
import type { AttemptId } from "../../protocol/messages.ts";
import type { Command } from "../commands.ts";
import { loseAttempts } from "./failing.ts";
import { bringBack, demand, loseDisk, loseOutput } from "./loss.ts";
import type { JobMachine } from "./machine.ts";
import { done } from "./stage.ts";

/** The node is out of reach, with its attempts and outputs. */
export function nodeLost(job: JobMachine, host: string, at: number, reason: string): Command[] {
  if (job.status !== "active") return [];
  loseAttempts(job, host, at, reason, () => true);
  for (const stage of job.status === "active" ? job.stages : []) {
    for (let task = 0; task < stage.tasks; task++) {
      if (stage.state(task) === done && stage.outputs.host(task) === host) loseOutput(stage, task, true);
    }
  }
  demand(job);
  job.advance(at);
  return job.out.take();
}

/** The node is back, its disk as it was: outputs that were not made again meanwhile are found again. */
export function nodeReturned(job: JobMachine, host: string, at: number): Command[] {
  if (job.status !== "active") return [];
  for (const stage of job.stages) bringBack(stage, host);
  job.advance(at);
  return job.out.take();
}

/** The node is back with an empty disk. */
export function diskLost(job: JobMachine, host: string): Command[] {
  for (const stage of job.stages) loseDisk(stage, host);
  // Its pack was on that disk.
  if (job.holders.includes(host)) job.holders = job.holders.filter((holder) => holder !== host);
  return [];
}

/** The node names the attempts it has: live ones that it does not know are lost, unknown ones are to be stopped. */
export function reconcile(job: JobMachine, host: string, at: number, known: readonly AttemptId[]): Command[] {
  if (job.status !== "active") return [];
  const keys = new Set(known.map((id) => `${id.stage}/${id.task}/${id.attempt}`));
  loseAttempts(job, host, at, "the node was started anew", (key) => !keys.has(key), "restart");
  for (const id of known) {
    if (job.stages[id.stage]?.liveAttempt(id.task, id.attempt)?.host === host) continue;
    job.out.cancel(host, id.stage, id.task, id.attempt, "it is not live");
  }
  return job.out.take();
}
