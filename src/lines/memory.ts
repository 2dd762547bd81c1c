/** Lines in this process. Several feeds share them by sharing a `MemoryLines`. */
import type { FedLine, LineFeed } from "./lines.ts";

const linesMaxByDefault = 10_000;

/** The newest lines, each with its number: those that were dropped are counted. */
export class MemoryLines {
  readonly #max: number;
  readonly #kept: FedLine[] = [];
  #dropped = 0;
  #next = Promise.withResolvers<void>();

  constructor(linesMax: number = linesMaxByDefault) {
    this.#max = linesMax;
  }

  add(lines: readonly FedLine[]): void {
    this.#kept.push(...lines);
    const over = this.#kept.length - this.#max;
    if (over > 0) this.#dropped += this.#kept.splice(0, over).length;
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve();
  }

  /** Lines from number `from` on, or from the oldest that is left. */
  since(from: number): { readonly lines: readonly FedLine[]; readonly next: number } {
    const lines = this.#kept.slice(Math.max(0, from - this.#dropped));
    return { lines, next: this.#dropped + this.#kept.length };
  }

  /** Resolves when lines are added. */
  get added(): Promise<void> {
    return this.#next.promise;
  }
}

export class MemoryLineFeed implements LineFeed {
  readonly #lines: MemoryLines;

  constructor(lines: MemoryLines = new MemoryLines()) {
    this.#lines = lines;
  }

  add(lines: readonly FedLine[]): void {
    if (lines.length > 0) this.#lines.add(lines);
  }

  async *follow(signal: AbortSignal): AsyncGenerator<readonly FedLine[]> {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    for (let from = 0; !signal.aborted; ) {
      const added = this.#lines.added;
      const { lines, next } = this.#lines.since(from);
      from = next;
      if (lines.length > 0) yield lines;
      else await Promise.race([added, aborted.promise]);
    }
  }
}
