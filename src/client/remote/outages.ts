/**
 * Masters that do not answer any more, told to whoever shows a person what goes on (the commands). Questions are asked again all
 * the same: nobody has to listen.
 */

export interface Outage {
  /** Address of the master, as the user gave it. */
  readonly master: string;
  /** Resolves when the master answers, or is not asked any more. */
  readonly ended: Promise<"answered" | "closed">;
}

const listeners = new Set<(outage: Outage) => void>();

/** Called at the first question in a row that a master leaves unanswered. Returns how to stop that. */
export function onOutage(listener: (outage: Outage) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The outages of one master, as one who asks it sees them. */
export class OutageWatch {
  readonly #master: string;
  #end: ((how: "answered" | "closed") => void) | null = null;

  constructor(master: string) {
    this.#master = master;
  }

  begin(): void {
    if (this.#end !== null) return;
    const { promise, resolve } = Promise.withResolvers<"answered" | "closed">();
    this.#end = resolve;
    for (const listener of listeners) listener({ master: this.#master, ended: promise });
  }

  end(how: "answered" | "closed"): void {
    this.#end?.(how);
    this.#end = null;
  }
}
