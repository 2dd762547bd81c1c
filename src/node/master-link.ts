/**
 * A node's way to the master that leads. Masters come and go: a question goes to whoever leads when it is asked, and is asked again
 * of the next one when that changes before there is an answer. So all questions must be harmless when they come twice.
 */
import type { Bus } from "../bus/bus.ts";
import { part } from "../bus/subjects.ts";
import { CommError } from "../errors.ts";

export type MasterSubject =
  | "join"
  | "leave"
  | "report"
  | "manifest"
  | "oob"
  | "nodes"
  | "pack"
  | "leftovers"
  | "ddfs-damaged";

const retryDelayMs = 100;
/** Codes of questions that nobody has answered: there is no master at present, or the way to it broke. */
const away = new Set(["no-responder", "no-leader", "bus-broken"]);

export class MasterLink {
  readonly #bus: Bus;
  readonly #host: string;
  #instance: string | null;
  /** Of questions on their way: somebody else leads now. */
  readonly #changed = new Set<() => void>();

  /** `instance`: of the only master that there will ever be, on one machine. Else nobody leads until `lead`. */
  constructor(bus: Bus, host: string, instance?: string) {
    this.#bus = bus;
    this.#host = host;
    this.#instance = instance ?? null;
  }

  /** `null`: none is known. */
  get instance(): string | null {
    return this.#instance;
  }

  /** From now on this one is asked; what is on its way to another is asked again. */
  lead(instance: string): void {
    if (this.#instance === instance) return;
    this.#instance = instance;
    for (const changed of [...this.#changed]) changed();
  }

  /**
   * Asks whoever leads, and tries again as long as nobody is there to answer, but not for longer than the patience.
   * @throws CommError `no-leader`, `no-responder`, `bus-timeout`, `bus-closed`, and what the master throws
   */
  async ask(what: MasterSubject, bytes: Uint8Array, patienceMs: number): Promise<Uint8Array> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const timeoutMs = Math.max(1, until - performance.now());
      try {
        const reply = await this.#unlessChanged(() => this.askOnce(what, bytes, timeoutMs));
        if (reply !== undefined) return reply;
      } catch (error) {
        if (!isAway(error) || performance.now() + retryDelayMs >= until) throw error;
        await this.#unlessChanged(() => delay(retryDelayMs));
      }
    }
  }

  /** Asks whoever leads, once. */
  askOnce(what: MasterSubject, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (this.#instance === null) {
      return Promise.reject(new CommError("no master is known to lead", { code: "no-leader", retry: "here" }));
    }
    return this.#bus.request(`master.${this.#instance}.${what}.${part(this.#host)}`, bytes, timeoutMs);
  }

  /** What comes of it; `undefined` as soon as somebody else leads. */
  #unlessChanged<T>(act: () => Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const changed = (): void => settle(() => resolve(undefined));
      const settle = (end: () => void): void => {
        this.#changed.delete(changed);
        end();
      };
      this.#changed.add(changed);
      act().then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error)))),
      );
    });
  }
}

function isAway(error: unknown): boolean {
  return error instanceof CommError && away.has(error.code);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
