/**
 * Whether the master answers. Each part of the page that asks it is a source; while one of them gets no answer the page says so, and how
 * old the oldest of what it shows is.
 */
export interface Away {
  /** `null`: nobody answers. Else what the master says instead of an answer. */
  readonly reason: string | null;
  /** Age of what is shown, in milliseconds; `null`: nothing was ever heard. */
  readonly ageMs: number | null;
}

export class Connection {
  readonly #now: () => number;
  readonly #heardAt = new Map<string, number>();
  readonly #away = new Map<string, string | null>();

  constructor(now: () => number) {
    this.#now = now;
  }

  heard(source: string): void {
    this.#heardAt.set(source, this.#now());
    this.#away.delete(source);
  }

  lost(source: string, reason: string | null): void {
    this.#away.set(source, reason);
  }

  /** The source has ended and says nothing any more. */
  over(source: string): void {
    this.#away.delete(source);
    this.#heardAt.delete(source);
  }

  /** `null`: all is well. */
  away(): Away | null {
    if (this.#away.size === 0) return null;
    const reasons = [...this.#away.values()];
    const heard = [...this.#away.keys()].flatMap((source) => this.#heardAt.get(source) ?? []);
    return {
      reason: reasons.includes(null) ? null : (reasons[0] ?? null),
      ageMs: heard.length === 0 ? null : this.#now() - Math.min(...heard),
    };
  }
}

export function awayText({ reason, ageMs }: Away, age: (ms: number) => string): string {
  const what =
    reason === null ? "The master does not answer, trying again." : `The master refuses (${reason}), trying again.`;
  return ageMs === null ? what : `${what} What is shown is ${age(Math.max(1_000, ageMs))} old.`;
}
