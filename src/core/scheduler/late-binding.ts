/**
 * Waiting for a local slot. A task whose input lies on a node that is busy right now is not given to the first node with room:
 * often a slot on the right node is free a moment later, and the input need not be sent. ("Delay scheduling", Zaharia and
 * others, 2010.) The price is a slot that stands idle, so the wait has an end.
 *
 * W1. A stage begins to hold tasks back when a node with room is first passed by because of it. That is an event, with
 *     its time, so that a master that restarts goes on counting.
 * W2. `localWaitMs` later, which a timer tells, the stage holds nothing back any more until no task of it waits. So a task
 *     waits no longer than that, and an idle cluster cannot stall.
 * W3. Only nodes that could run the task are waited for: open, with slots and with the job's labels.
 *
 * W4. In one round of scheduling, slots are kept from the tasks of at most `passedByMax` jobs; the next job takes one wherever its
 *     input lies. So a round is short, and slots do not stand idle, when a thousand jobs wait for one node.
 *
 * Spark starts its wait anew with each local task. Then a node that gets one task after the other keeps all of them, while
 * others stand idle for as long as the stage lasts; here a stage waits once.
 */
import type { JobMachine } from "../job/machine.ts";
import type { Stage } from "../job/stage.ts";

/** How long a task is kept for a node that holds its input. */
export const localWaitMs = 3_000;

export const passedByMax = 16;

/** The stage has begun to hold tasks back, and has not waited long enough. */
export function isHeld(stage: Stage): boolean {
  return stage.heldUntil > 0;
}

/** Whether its tasks are kept for nodes that hold their input at this time, or would be if a node were passed by. */
export function keepsForLocal(stage: Stage, at: number): boolean {
  return stage.heldUntil === 0 || stage.heldUntil > at;
}

/** The stage waited long enough. */
export const waitedOut = -1;

/** A slot on the node may become free for a task of the job. */
export function worthWaiting(host: string, { cluster, spec }: JobMachine): boolean {
  const node = cluster.node(host);
  return node !== undefined && cluster.open(node) && node.slots > 0 && cluster.carries(node, spec.labels);
}

/** Names the timer that ends the wait of a stage. Names of jobs have no slash. */
export function holdKey(job: string, stage: number, until: number): string {
  return `${job}/${stage}/hold/${until}`;
}
