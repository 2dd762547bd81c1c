/**
 * Watches one job from its start to its end: feeds the display, prints what its tasks say, and keeps the last state, which
 * stays known when the job's function purges the job at once.
 */
import type { JobEvent, JobInfo, MasterApi } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";

const updateIntervalMs = 100;

export interface JobWatcher {
  update(job: JobInfo): void;
  event(event: JobEvent, offset: number): void;
}

export class FollowedJob {
  readonly name: string;
  /** Resolves when the job has ended and all that it said was printed. Rejects only for a fault in here. */
  readonly ended: Promise<void>;
  info: JobInfo | null = null;
  /** Why there was nothing more to see before the job had ended: it is gone, or its master is. */
  lost: DiscoError | null = null;
  /** Its files are gone. */
  purged = false;

  /** `signal`: stops looking; the job goes on. */
  constructor(master: MasterApi, name: string, watcher: JobWatcher, signal?: AbortSignal) {
    this.name = name;
    this.ended = Promise.all([
      this.#untilLost(this.#followState(master, watcher, signal)),
      this.#untilLost(this.#followEvents(master, watcher, signal)),
    ]).then(() => {});
    this.ended.catch(() => {});
  }

  get active(): boolean {
    return this.info === null || this.info.status === "active";
  }

  async #followState(master: MasterApi, watcher: JobWatcher, signal: AbortSignal | undefined): Promise<void> {
    const options = { intervalMs: updateIntervalMs, ...(signal === undefined ? {} : { signal }) };
    for await (const info of master.progress(this.name, options)) {
      this.info = info;
      watcher.update(info);
    }
  }

  async #followEvents(master: MasterApi, watcher: JobWatcher, signal: AbortSignal | undefined): Promise<void> {
    const options = { follow: true, ...(signal === undefined ? {} : { signal }) };
    for await (const [offset, event] of master.events(this.name, 0, options)) watcher.event(event, offset);
  }

  /** A job that was purged meanwhile, or whose engine was closed, has nothing more to say. */
  async #untilLost(following: Promise<void>): Promise<void> {
    try {
      await following;
    } catch (error) {
      if (!(error instanceof DiscoError)) throw error;
      this.lost ??= error;
    }
  }
}
