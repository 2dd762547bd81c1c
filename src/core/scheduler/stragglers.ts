/**
 * A task that takes far longer than its like may sit on a slow disk, a busy machine or a stopped process. When nothing else
 * waits for the slot, it gets a second attempt beside the first; the first that is done wins (J1), the other is cancelled.
 *
 * SP1. Only when no task of the stage waits, and on a node with a slot that is really free: not a place in a queue.
 * SP2. Only when enough tasks of the stage are done to know how long one takes: three (of a smaller stage all others), and a
 *      fifth. Hadoop asks for one finished task, Spark for 75 or 90 %. With that, half a stage on a node that hangs is never
 *      helped; and an unneeded attempt costs only a slot that nobody wants.
 * SP3. Only after three times the median of the done tasks (Spark 4: three times; Hadoop compares with the mean, which one
 *      straggler shifts), and not in its first seconds, in which starting a second one brings nothing.
 * SP4. One extra attempt a task, and at most a tenth of a stage's tasks (LATE: a tenth of the slots) with one at a time.
 * SP5. On another node than the first attempt if there is one with a free slot; the slowest task first. A worker that the job brings
 *      along may give its files the same names in both attempts, which share the job's home on a node: its second attempt is on
 *      another node or there is none.
 *
 * SP6. An attempt's age is that since it began. One of which its node has not said that it began is queued there, or its worker hangs:
 *      its age is that since anything of the stage has last ended, for as long as tasks end, its turn may be to come.
 *
 * It walks over the running tasks of jobs, of which there are no more than places on the nodes, twice a second.
 */
import type { AssignedTask } from "../events.ts";
import type { JobMachine } from "../job/machine.ts";
import type { Attempt, Stage } from "../job/stage.ts";
import { done, running, waiting } from "../job/stage.ts";
import { canTake } from "./choose.ts";
import type { Node } from "./cluster.ts";

/** How often stragglers are looked for. */
export const lookMs = 500;
const doneTasksMin = 3;
const doneShareMin = 0.2;
const medianFactor = 3;
/** No task is slow before this age. */
export const slowAgeMinMs = 5_000;
const extraShareMax = 0.1;

/** The second attempts to start now. Each is to be assigned before the next one is asked for. */
export function* stragglersOf(job: JobMachine, at: number): Generator<AssignedTask> {
  const stage = job.lowest();
  if (stage === undefined || stage.count(waiting) > 0 || stage.count(running) === 0 || !isKnown(stage)) return;
  const medianMs = stage.durations.median();
  const slowMs = Math.max(slowAgeMinMs, medianFactor * medianMs);
  let extra = 0;
  const slow: { readonly task: number; readonly attempt: Attempt; readonly since: number }[] = [];
  for (const [task, attempts] of stage.live) {
    const attempt = attempts[0] as Attempt;
    // What an open stage has begun, has waited until it was closed.
    const since = Math.max(stage.beganAt(attempt) ?? Math.max(attempt.at, stage.movedAt), stage.closedAt);
    if (attempts.length > 1) extra++;
    else if (at - since >= slowMs && !stage.startedAgain.has(task)) slow.push({ task, attempt, since });
  }
  slow.sort((a, b) => a.since - b.since || a.task - b.task);
  const extraMax = Math.max(1, Math.floor(stage.tasks * extraShareMax));
  for (const { task, attempt, since } of slow) {
    if (extra >= extraMax || job.live >= job.spec.scheduler.maxCores) return;
    const node = freeNodeFor(job, stage, task, attempt.host);
    if (node === undefined) continue;
    extra++;
    yield {
      job: job.name,
      stage: stage.number,
      task,
      attempt: stage.nextAttempt(task),
      host: node.host,
      slow: { ageMs: at - since, medianMs, doneTasks: stage.durations.count },
    };
  }
}

/** It is known how long a task of the stage takes (SP2). */
function isKnown(stage: Stage): boolean {
  const enough = Math.max(Math.min(doneTasksMin, stage.tasks - 1), Math.ceil(stage.tasks * doneShareMin), 1);
  return stage.count(done) >= enough && stage.durations.count >= enough;
}

/** SP1, SP5. */
function freeNodeFor(job: JobMachine, stage: Stage, task: number, host: string): Node | undefined {
  const nodes = job.cluster.free().filter((node) => canTake(job, stage, task, node) && stage.allowed(task, node.host));
  return nodes.find((node) => node.host !== host) ?? (job.spec.worker === undefined ? nodes[0] : undefined);
}
