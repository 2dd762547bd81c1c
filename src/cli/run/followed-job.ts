/**
 * Watches one job from its start to its end: feeds the display, prints what its tasks say, and keeps the last state, which
 * stays known when the job's function purges the job at once.
 */
import type { JobEvent, JobInfo, MasterApi } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";

const updateIntervalMs = 100;

export interface JobWatcher {
  update(job: JobInfo): void;
  event(event: JobEvent): void;
}

export class FollowedJob {
  readonly name: string;
  /** Resolves when the job has ended and all that it said was printed. Rejects only for a fault in here. */
  readonly ended: Promise<void>;
  info: JobInfo | null = null;
  /** Its files are gone. */
  purged = false;

  constructor(master: MasterApi, name: string, watcher: JobWatcher) {
    this.name = name;
    this.ended = Promise.all([
      untilForgotten(this.#followState(master, watcher)),
      untilForgotten(this.#followEvents(master, watcher)),
    ]).then(() => {});
    this.ended.catch(() => {});
  }

  get active(): boolean {
    return this.info === null || this.info.status === "active";
  }

  async #followState(master: MasterApi, watcher: JobWatcher): Promise<void> {
    for await (const info of master.progress(this.name, { intervalMs: updateIntervalMs })) {
      this.info = info;
      watcher.update(info);
    }
  }

  async #followEvents(master: MasterApi, watcher: JobWatcher): Promise<void> {
    for await (const [, event] of master.events(this.name, 0, { follow: true })) watcher.event(event);
  }
}

/** A job that was purged meanwhile, or whose engine was closed, has nothing more to say. */
async function untilForgotten(following: Promise<void>): Promise<void> {
  try {
    await following;
  } catch (error) {
    if (!(error instanceof DiscoError)) throw error;
  }
}
