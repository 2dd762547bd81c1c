import { DiscoError } from "../errors.ts";
import { forgetTags, rememberTags, type TagSource } from "./ddfs/tag-registry.ts";
import type { Engine, FirstJob } from "./engine.ts";
import { keepAlive } from "./keep-alive.ts";
import type { MasterApi } from "./master-api.ts";

/** The way to a master: connects, or opens the engine in this process, when it is first asked for. */
export class MasterDoor {
  readonly #engine: Engine;
  /** Whose tags are found through it. */
  readonly tags: TagSource;
  #opening: Promise<MasterApi> | null = null;
  #closed = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.tags = { urls: engine.urls, ddfs: async () => (await this.master()).ddfs };
  }

  /** `first`: what is known of the job that is to begin. @throws DiscoError `closed`; what opening throws */
  master(first?: FirstJob): Promise<MasterApi> {
    if (this.#closed) {
      return Promise.reject(
        new DiscoError("this Disco is closed", {
          code: "closed",
          hint: "Close it after the last job, or make a new Disco().",
        }),
      );
    }
    this.#opening ??= this.#open(first).catch((error: unknown) => {
      // The next use tries again: the reason may be gone (a full disk, a directory of another user).
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    forgetTags(this.tags);
    if (this.#opening === null) return;
    const master = await keepAlive(this.#opening.catch(() => null));
    if (master !== null) await keepAlive(master.close());
  }

  async #open(first: FirstJob | undefined): Promise<MasterApi> {
    const master = await this.#engine.open(first);
    if (!this.#closed) rememberTags(this.tags);
    return master;
  }
}
