/**
 * Which worker makes room when a job wants a process and all slots are taken.
 *
 *   idle    a worker of another job that has had nothing to do for a moment: it goes now
 *   later   it has just become idle; its job may be between two stages, whose tasks come in a millisecond
 *   busy    a worker of a job that has more than its share, or has had the slot for a while: it goes after the tasks it has
 *   none    room is on its way already, or nobody has too much
 */
import type { JobQueue } from "./job-queue.ts";
import type { PoolWorker } from "./pool-worker.ts";

const idleGraceMs = 10;
/** With more jobs than slots, a job keeps a worker at least so long before another one gets the slot. */
const sliceMs = 1_000;

export type Victim =
  | { readonly kind: "idle" | "busy"; readonly worker: PoolWorker }
  | { readonly kind: "later"; readonly delayMs: number }
  | { readonly kind: "none" };

/** Slots taken. A worker that was told to go does nothing any more: its successor may start. */
export function occupied(workers: Iterable<PoolWorker>): number {
  let count = 0;
  for (const worker of workers) if (!worker.leaving) count++;
  return count;
}

export function chooseVictim(
  queue: JobQueue,
  workers: Iterable<PoolWorker>,
  { now, share, size }: { now: number; share: number; size: (job: string) => number },
): Victim {
  let busy: PoolWorker | null = null;
  let soonest = Number.POSITIVE_INFINITY;
  let most = 0;
  let onTheWay = false;
  for (const worker of workers) {
    if (worker.leaving) continue;
    if (!worker.open) {
      onTheWay = true;
      continue;
    }
    if (worker.job === queue.job || !worker.bound) continue;
    if (worker.tasks.length === 0) {
      const left = worker.headSince + idleGraceMs - now;
      if (left <= 0) return { kind: "idle", worker };
      soonest = Math.min(soonest, left);
      continue;
    }
    const has = size(worker.job);
    const over = has > share || (queue.workers.size === 0 && now - worker.boundAt > sliceMs);
    if (over && has > most && queue.workers.size < share) [busy, most] = [worker, has];
  }
  if (soonest < Number.POSITIVE_INFINITY) return { kind: "later", delayMs: Math.ceil(soonest) };
  return onTheWay || busy === null ? { kind: "none" } : { kind: "busy", worker: busy };
}
