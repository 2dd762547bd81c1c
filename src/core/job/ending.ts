/** The end of a job: what it leaves, and who has to hear of it. */
import type { JobMachine } from "./machine.ts";
import type { Outbox } from "./outbox.ts";
import type { JobSpec } from "./spec.ts";
import type { Stage } from "./stage.ts";
import { done } from "./stage.ts";

/**
 * The index of each task of the last stage, in the order of their groups. As in Disco, there is none of a task for which the job's own worker
 * has put out nothing.
 */
export function resultsOf(last: Stage, { worker }: Pick<JobSpec, "worker">): string[] {
  const results: string[] = [];
  for (const task of last.inOrder()) {
    const index = last.outputs.index(task);
    if (index !== undefined && (worker === undefined || last.outputs.hasLabels(task))) results.push(index);
  }
  return results;
}

/** Ends all live attempts, and says so to nodes and to who waits. The job's status and reason are set already. */
export function announceEnd(job: JobMachine, status: "ready" | "dead", out: Outbox): void {
  const busy = new Set<string>();
  for (const stage of job.stages) {
    for (const [task, attempts] of [...stage.live]) {
      for (const { attempt, host } of attempts) {
        busy.add(host);
        job.endAttempt(stage, task, attempt, host);
      }
    }
  }
  if (busy.size > 0) out.push({ kind: "stop-job", job: job.name, hosts: [...busy].sort() });
  out.push({
    kind: "job-ended",
    job: job.name,
    status,
    results: job.results,
    reason: job.reason,
    failure: job.failure,
  });
  if (job.spec.keep) return;
  out.push({ kind: "drop-files", job: job.name, hosts: [...job.hosts].sort(), scope: "intermediate" });
}

/** Why a job is dead whose engine died. */
export function interruption(job: JobMachine): string {
  const tasks = job.stages.reduce((sum, stage) => sum + stage.tasks, 0);
  const finished = job.stages.reduce((sum, stage) => sum + stage.count(done), 0);
  const stages = job.spec.pipeline.length;
  const open = stages - job.stages.length;
  const later = open > 0 ? ` (${open} of ${stages} stages had not begun)` : "";
  return `the engine stopped: ${finished} of ${tasks} tasks had finished${later}`;
}
