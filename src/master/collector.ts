/**
 * Garbage collection: jobs that ended long ago are purged, records, results and all, as a user would. Right after a start too: a
 * daemon that ran for an hour a day would never come to it otherwise.
 */
import type { Log } from "./log.ts";

/** What a collector asks of the master. */
export interface Collectable {
  /** Jobs that ended more than `afterMs` ago. */
  collectable(afterMs: number): readonly string[];
  purge(name: string): Promise<void>;
}

export interface CollectorParts {
  readonly master: Collectable;
  readonly log: Log;
  /** Milliseconds from a job's end to its purge. */
  readonly afterMs: number;
}

const checkMsMin = 1_000;
const checkMsMax = 60_000;
/** A job goes at most so much of its time later than it might. */
const checkShare = 1 / 4;

export class Collector {
  readonly #parts: CollectorParts;
  readonly #timer: NodeJS.Timeout;
  #collecting = false;
  #stopped = false;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
    const everyMs = Math.min(Math.max(parts.afterMs * checkShare, checkMsMin), checkMsMax);
    this.#timer = setInterval(() => void this.collect(), everyMs);
    this.#timer.unref();
    void this.collect();
  }

  /** Purges what is due, one after the other: it is not urgent, and whatever else the disk has to do comes first. */
  async collect(): Promise<void> {
    if (this.#collecting || this.#stopped) return;
    this.#collecting = true;
    const { master, log, afterMs } = this.#parts;
    try {
      const jobs = master.collectable(afterMs);
      for (const job of jobs) {
        if (this.#stopped) return;
        await master.purge(job);
      }
      if (jobs.length > 0) log.info({ jobs: jobs.length }, "purged jobs that ended long ago");
    } catch (error) {
      // Read-only, or on its way to its end. The next look tries again.
      if (!this.#stopped) log.warn({ reason: String(error) }, "jobs could not be collected");
    } finally {
      this.#collecting = false;
    }
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }
}
