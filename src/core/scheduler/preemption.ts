/**
 * Attempts that wait for input give up their slots to the tasks that make it (`job/concurrent.ts`, C2). They are few: only jobs whose
 * workers take outputs as they come have such attempts, and they start only when nothing of the stages before waits. But then an
 * output may be lost or an attempt fail, and its task finds all slots taken by those that wait for it.
 *
 * PR1. When a task waits for a slot, all live attempts of its job wait for input, those of later stages among them, and no node has
 *      room that it could use (or the job is at its `max_cores`): nothing of the job would ever end. Else something ends by itself.
 * PR2. When something is queued on a node all slots of which are held so: the operator has taken slots from it.
 *
 * One attempt a job and round: the youngest, which has done least, where the waiting task could run. It starts again later; that is
 * no failure, and counts nowhere.
 */
import type { AttemptId } from "../../protocol/messages.ts";
import type { JobMachine } from "../job/machine.ts";
import type { Attempt, Stage } from "../job/stage.ts";
import { waiting } from "../job/stage.ts";
import { choose, placementOf } from "./choose.ts";
import type { Cluster } from "./cluster.ts";

interface Victim {
  readonly stage: Stage;
  readonly task: number;
  readonly attempt: Attempt;
}

/** Nodes on which something is queued behind attempts that wait for input (PR2). */
function crowded(cluster: Cluster): ReadonlySet<string> {
  const hosts = new Set<string>();
  for (const [host, awaiting] of cluster.awaitingHosts) {
    const node = cluster.node(host);
    if (node !== undefined && node.slots > 0 && awaiting >= node.slots && node.load > awaiting) hosts.add(host);
  }
  return hosts;
}

/** The attempts of the job that are to give up their slots now: none or one. */
export function victimsOf(job: JobMachine, at: number): AttemptId[] {
  if (job.status !== "active" || !job.stages.some((stage) => stage.awaitsInput && stage.live.size > 0)) return [];
  const hosts = crowded(job.cluster);
  const queued = hosts.size === 0 ? undefined : youngest(job, 0, ({ host }) => hosts.has(host));
  const victim = queued ?? blockingTask(job, at);
  if (victim === undefined) return [];
  return [{ job: job.name, stage: victim.stage.number, task: victim.task, attempt: victim.attempt.attempt }];
}

/** PR1. */
function blockingTask(job: JobMachine, at: number): Victim | undefined {
  const stage = job.current();
  if (stage === undefined || stage.count(waiting) === 0) return undefined;
  const awaiting = job.stages.reduce((sum, one) => sum + (one.awaitsInput ? one.live.size : 0), 0);
  if (job.live > awaiting) return undefined;
  const { cluster, spec } = job;
  const isFull = job.live >= spec.scheduler.maxCores;
  if (!isFull && choose(job, cluster.withRoom(), at, true) !== null) return undefined;
  const placement = placementOf(job);
  const isUseful = ({ host }: Attempt): boolean => {
    const node = cluster.node(host);
    if (node === undefined || !cluster.open(node) || !cluster.carries(node, spec.labels)) return false;
    return node.slots > 0 && stage.queue.peek(host, placement) >= 0;
  };
  const found = youngest(job, stage.number + 1, isUseful);
  return found ?? (isFull ? youngest(job, stage.number + 1, () => true) : undefined);
}

/** Of the attempts that wait for input, in stages from this one on. */
function youngest(job: JobMachine, from: number, fits: (attempt: Attempt) => boolean): Victim | undefined {
  let found: Victim | undefined;
  for (const stage of job.stages.slice(from)) {
    if (!stage.awaitsInput) continue;
    for (const [task, attempts] of stage.live) {
      for (const attempt of attempts) {
        if (!fits(attempt)) continue;
        const isYounger =
          found === undefined ||
          attempt.at > found.attempt.at ||
          (attempt.at === found.attempt.at && (stage.number > found.stage.number || task > found.task));
        if (isYounger) found = { stage, task, attempt };
      }
    }
  }
  return found;
}
