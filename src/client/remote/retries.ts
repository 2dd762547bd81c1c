/**
 * When to ask again. Delays grow and are random in part, so that a thousand clients of a master that restarts do not all come
 * at once; a server that says when is obeyed. It ends `budgetMs` after the first failure in a row.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Round } from "./rounds.ts";

const firstDelayMs = 50;
const lastDelayMs = 5_000;
/** No server makes us wait longer before the next attempt. */
const retryAfterMsMax = 60_000;

export interface RetryOptions {
  /** Asked at each failure. */
  readonly budgetMs: () => number;
  readonly signal?: AbortSignal | undefined;
  readonly random?: () => number;
}

export class Retries {
  /** The masters that were asked in vain. */
  readonly round = new Round();
  readonly #options: RetryOptions;
  #failures = 0;
  #since: number | null = null;

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  /** Seconds since the first failure in a row. */
  get seconds(): number {
    return this.#since === null ? 0 : (performance.now() - this.#since) / 1000;
  }

  /** It went well: the next failure is the first. */
  reset(): void {
    this.round.reset();
    this.#failures = 0;
    this.#since = null;
  }

  /** Waits for the next attempt; `false`: there is none. Rejects with the signal's reason. */
  async again(retryAfterSeconds: number | null = null): Promise<boolean> {
    const { budgetMs, signal } = this.#options;
    const now = performance.now();
    this.#since ??= now;
    const wanted = this.#delayMs(retryAfterSeconds);
    const leftMs = this.#since + budgetMs() - now;
    this.#failures++;
    if (leftMs <= 0 || (retryAfterSeconds !== null && wanted > leftMs)) return false;
    try {
      await delay(Math.min(wanted, leftMs), undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
    return true;
  }

  #delayMs(retryAfterSeconds: number | null): number {
    const random = (this.#options.random ?? Math.random)();
    const grown = Math.min(lastDelayMs, firstDelayMs * 2 ** this.#failures) * (0.5 + random / 2);
    if (retryAfterSeconds === null) return grown;
    // Not all at the same moment.
    return Math.max(grown, Math.min(retryAfterSeconds * 1000, retryAfterMsMax) * (1 + random / 10));
  }
}

/** Of the header `Retry-After` in seconds; dates are not taken, as clocks differ. */
export function retryAfterSeconds(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : null;
}
