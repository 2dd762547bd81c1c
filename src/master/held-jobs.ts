/** Active jobs hold the process, each once. */
import type { KeepAlive } from "./keep-alive.ts";

export class HeldJobs {
  readonly #keepAlive: KeepAlive;
  readonly #jobs = new Set<string>();

  constructor(keepAlive: KeepAlive) {
    this.#keepAlive = keepAlive;
  }

  hold(job: string): void {
    if (this.#jobs.has(job)) return;
    this.#jobs.add(job);
    this.#keepAlive.acquire();
  }

  letGo(job: string): void {
    if (this.#jobs.delete(job)) this.#keepAlive.release();
  }

  letAllGo(): void {
    for (const job of [...this.#jobs]) this.letGo(job);
  }

  /** Those that are held, at this moment. */
  names(): string[] {
    return [...this.#jobs];
  }
}
