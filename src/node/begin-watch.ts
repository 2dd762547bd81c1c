/**
 * Tells which tasks have begun, but only of those that still run after a while: of tiny tasks it would be a message each, for
 * something that is over when it is heard.
 */
import type { PoolWorker } from "./pool-worker.ts";

/** Tasks that end sooner are not told of. */
const toldAfterMs = 50;

export class BeginWatch {
  readonly #now: () => number;
  readonly #workers: () => Iterable<PoolWorker>;
  readonly #tell: (worker: PoolWorker, agoMs: number) => void;
  #timer: NodeJS.Timeout | undefined;

  /** `tell`: the worker's first task began so many milliseconds ago. */
  constructor(
    now: () => number,
    workers: () => Iterable<PoolWorker>,
    tell: (worker: PoolWorker, agoMs: number) => void,
  ) {
    this.#now = now;
    this.#workers = workers;
    this.#tell = tell;
  }

  /** A task has begun. One timer serves all workers. */
  begun(): void {
    this.#timer ??= setTimeout(() => this.#look(), toldAfterMs).unref();
  }

  /** Tells again of all that run: the master may not have kept it. */
  again(): void {
    for (const worker of this.#workers()) worker.beginTold = false;
    this.begun();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#now();
    for (const worker of this.#workers()) {
      if (!worker.headStarted || worker.beginTold || worker.killed) continue;
      const agoMs = now - worker.startedAt;
      if (agoMs < toldAfterMs) {
        this.begun();
        continue;
      }
      worker.beginTold = true;
      this.#tell(worker, agoMs);
    }
  }
}
