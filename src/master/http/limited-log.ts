/** Lines that strangers cause: so many a minute, the rest is counted. Nobody fills the disk by being refused. */
import type { Log } from "../log.ts";

const windowMs = 60_000;
export const linesMax = 60;

export class LimitedLog {
  readonly #log: Log;
  /** Milliseconds of a clock that never goes back. */
  readonly #now: () => number;
  #since = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #dropped = 0;

  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  warn(fields: object, message: string): void {
    const now = this.#now();
    if (now - this.#since >= windowMs) {
      if (this.#dropped > 0) this.#log.warn({ lines: this.#dropped }, "more of this was not logged");
      this.#since = now;
      this.#lines = 0;
      this.#dropped = 0;
    }
    if (this.#lines++ < linesMax) this.#log.warn(fields, message);
    else this.#dropped++;
  }
}
