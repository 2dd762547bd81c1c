/** Looks for workers whose running task makes no progress, as long as there are tasks with a time limit. */
import type { PoolWorker } from "./pool-worker.ts";

const checkMs = 100;

export class TimeoutWatch {
  readonly #now: () => number;
  readonly #workers: () => Iterable<PoolWorker>;
  readonly #overdue: (worker: PoolWorker) => void;
  #timer: NodeJS.Timeout | undefined;

  /** `now`: milliseconds, monotonic. */
  constructor(now: () => number, workers: () => Iterable<PoolWorker>, overdue: (worker: PoolWorker) => void) {
    this.#now = now;
    this.#workers = workers;
    this.#overdue = overdue;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => {
      const now = this.#now();
      for (const worker of this.#workers()) if (worker.isOverdue(now)) this.#overdue(worker);
    }, checkMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
