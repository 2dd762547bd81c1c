/**
 * When a request is sent again. Each has a few attempts with longer and longer pauses; all of a process together have a budget, which
 * successes fill again: a store that is down is not kept down by those who ask it again and again.
 */

/** Of one request; with the pauses between them some six seconds. */
export const attemptsMax = 7;
const firstPauseMs = 100;
const pauseMsMax = 5_000;
/** What a server may ask for with `Retry-After`. */
const askedPauseMsMax = 30_000;
const budgetMax = 200;
const givenBack = 0.2;

export type Pause = (ms: number, signal: AbortSignal | undefined) => Promise<void>;

export class RetryBudget {
  #left = budgetMax;

  /** `false`: there have been too many. */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  succeeded(): void {
    this.#left = Math.min(budgetMax, this.#left + givenBack);
  }
}

/** `attempt`: how many there were. `random`: from 0 up to 1, so that those who failed together do not come back together. */
export function pauseMsAfter(attempt: number, retryAfter: string | null, random: number): number {
  const asked = retryAfter !== null && /^\d{1,4}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : 0;
  const own = Math.min(firstPauseMs * 2 ** (attempt - 1), pauseMsMax) * (0.5 + random / 2);
  return Math.max(own, Math.min(asked, askedPauseMsMax));
}

export const realPause: Pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
