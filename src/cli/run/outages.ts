/**
 * Masters that do not answer, for people who wait: one line when that lasts, one when it is over. An answer that is late by less
 * is nothing to talk about: a restart of the daemon takes so long.
 */
import { type Outage, onOutage } from "../../client/remote/outages.ts";

const noticeAfterMs = 1000;

export class Outages {
  readonly #print: (line: string) => void;
  readonly #afterMs: number;
  readonly #open = new Set<Outage>();
  readonly #told = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stop: () => void;
  #begun = Promise.withResolvers<void>();

  constructor(print: (line: string) => void, afterMs: number = noticeAfterMs) {
    this.#print = print;
    this.#afterMs = afterMs;
    this.#stop = onOutage((outage) => void this.#follow(outage));
  }

  /** A master that does not answer now; `null`: none. */
  get master(): string | null {
    for (const { master } of this.#open) return master;
    return null;
  }

  /** Resolves when one does not answer: at once if that is so already. */
  get begun(): Promise<void> {
    return this.#open.size > 0 ? Promise.resolve() : this.#begun.promise;
  }

  close(): void {
    this.#stop();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #follow(outage: Outage): Promise<void> {
    const { master, ended } = outage;
    this.#open.add(outage);
    this.#begun.resolve();
    this.#begun = Promise.withResolvers();
    const timer = setTimeout(() => this.#tell(outage), this.#afterMs).unref();
    this.#timers.add(timer);
    const how = await ended;
    clearTimeout(timer);
    this.#timers.delete(timer);
    this.#open.delete(outage);
    // Several who ask the same master hear of its return one after the other.
    if (how === "answered" && this.#told.delete(master)) this.#print(`disco: the master at ${master} answers again`);
  }

  #tell({ master }: Outage): void {
    if (this.#told.has(master)) return;
    this.#told.add(master);
    this.#print(`disco: the master at ${master} does not answer; asking again (Ctrl-C leaves the job there)`);
  }
}

export function printToStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
