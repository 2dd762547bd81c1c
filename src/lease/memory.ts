/** Leases of one process: for engines that have no second master, tests and the simulator. */
import type { Lease } from "./lease.ts";

interface Held {
  readonly holder: string;
  readonly untilMs: number;
}

export class MemoryLease implements Lease {
  readonly #held = new Map<string, Held>();
  readonly #now: () => number;

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  async tryAcquire(name: string, holder: string, ttlMs: number): Promise<boolean> {
    const present = this.#present(name);
    if (present !== null && present !== holder) return false;
    this.#held.set(name, { holder, untilMs: this.#now() + ttlMs });
    return true;
  }

  async renew(name: string, holder: string, ttlMs: number): Promise<boolean> {
    return this.#present(name) === holder && this.tryAcquire(name, holder, ttlMs);
  }

  async release(name: string, holder: string): Promise<void> {
    if (this.#present(name) === holder) this.#held.delete(name);
  }

  async holder(name: string): Promise<string | null> {
    return this.#present(name);
  }

  #present(name: string): string | null {
    const held = this.#held.get(name);
    return held !== undefined && held.untilMs > this.#now() ? held.holder : null;
  }
}
