/**
 * Who leads: the master that has the lease tries, and the one whose `master-started` is in the journal does.
 *
 *   follows ── lease got ──▶ coordinator.lead() ── committed ──▶ leads ── a record of another master ──▶ deposed: the process ends
 *      ▲                            │ another one was faster
 *      └────────────────────────────┘
 *
 * LD1. The lease decides nothing. With two holders, or none, one master at a time gets records into the journal.
 * LD2. A leader that was not able to renew for as long as the lease lasts (paused, its event loop blocked, the engine away) appends
 *      nothing before the lease is its own again, so that it does not get in the way of a successor.
 * LD3. A leader that has lost the lease looks whether another one has written, and ends then, also if it has nothing to write.
 */
import { setTimeout as after } from "node:timers/promises";
import type { Lease } from "../lease/lease.ts";
import type { Coordinator } from "./coordinator.ts";

/** A lease lasts so long after it was renewed. */
export const leaseMs = 2_000;
export const renewMs = 600;
/** Who follows asks so often. */
export const askMs = 250;

export interface LeadershipParts {
  readonly lease: Lease;
  /** Of the lease: one a cluster. */
  readonly name: string;
  /** Unique for each start of a master. */
  readonly holder: string;
  readonly coordinator: Pick<Coordinator, "lead" | "confirm" | "ended">;
  /** It leads from now on. Called once. */
  readonly began: () => void;
  /** Milliseconds of a clock that never goes back. */
  readonly clock?: () => number;
  /** Resolves after so many milliseconds, or when it is to stop. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class Leadership {
  readonly #parts: LeadershipParts;
  readonly #over = new AbortController();
  #leads = false;
  /** When a renewal that succeeded was begun. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  #loop: Promise<void> | null = null;

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
  }

  get leads(): boolean {
    return this.#leads;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Asks no more, and gives the lease up. */
  async stop(): Promise<void> {
    const { lease, name, holder } = this.#parts;
    this.#over.abort();
    await this.#loop;
    await lease.release(name, holder).catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      if (this.#leads) await this.#renew();
      else await this.#try();
      if (!this.#stopped) await this.#pause(this.#leads ? renewMs : askMs);
    }
  }

  async #try(): Promise<void> {
    const { coordinator, lease, name, holder, began } = this.#parts;
    if (!(await this.#hold("tryAcquire")) || this.#stopped) return;
    let led = false;
    try {
      led = await coordinator.lead(() => this.#clearance(), this.#over.signal);
    } catch {
      // The journal cannot be read now, or not any more: then the coordinator has ended.
    }
    if (!led) {
      await lease.release(name, holder).catch(() => undefined);
      return;
    }
    this.#leads = true;
    // Stopped meanwhile: what is in the journal under its epoch is the one record, and the next one takes over from that.
    if (!this.#stopped) began();
  }

  async #renew(): Promise<void> {
    if (await this.#hold("renew")) return;
    // Whoever has it has written, perhaps; and if nobody has it, it is taken again.
    await this.#parts.coordinator.confirm();
    if (!this.#stopped) await this.#hold("tryAcquire");
  }

  /** `null`: the lease was renewed in time. Else what resolves when it may be written again. */
  #clearance(): Promise<void> | null {
    return this.#isLate() ? this.#regain() : null;
  }

  async #regain(): Promise<void> {
    for (;;) {
      await this.#renew();
      if (!this.#isLate()) return;
      await this.#pause(askMs);
    }
  }

  #isLate(): boolean {
    return !this.#stopped && this.#clock() - this.#renewedAt > leaseMs;
  }

  /** `false` also when the engine does not answer. */
  async #hold(how: "renew" | "tryAcquire"): Promise<boolean> {
    const { lease, name, holder } = this.#parts;
    const asked = this.#clock();
    try {
      const holds = await lease[how](name, holder, leaseMs);
      if (holds) this.#renewedAt = asked;
      return holds;
    } catch {
      return false;
    }
  }

  get #stopped(): boolean {
    return this.#over.signal.aborted || this.#parts.coordinator.ended;
  }

  #clock(): number {
    return (this.#parts.clock ?? (() => performance.now()))();
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#over;
    await (this.#parts.pause ?? pauseFor)(ms, signal);
  }
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  await after(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
