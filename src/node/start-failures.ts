/** Keeps a job whose workers die before they are ready from starting processes in a busy loop. */

/** So many in a row: the tasks that wait fail, with the reason. */
const failuresMax = 3;
const firstDelayMs = 100;
const delayMsMax = 5_000;

interface Entry {
  failures: number;
  notBefore: number;
}

export class StartFailures {
  readonly #jobs = new Map<string, Entry>();
  readonly #now: () => number;
  readonly #retry: () => void;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(now: () => number, retry: () => void) {
    this.#now = now;
    this.#retry = retry;
  }

  mayStart(job: string): boolean {
    return (this.#jobs.get(job)?.notBefore ?? 0) <= this.#now();
  }

  succeeded(job: string): void {
    this.#jobs.delete(job);
  }

  /** Counts; `true` when it is time to give up. `retry` is called when the next start may be tried. */
  failed(job: string): boolean {
    const failures = (this.#jobs.get(job)?.failures ?? 0) + 1;
    const delay = Math.min(delayMsMax, firstDelayMs * 2 ** (failures - 1));
    this.#jobs.set(job, { failures, notBefore: this.#now() + delay });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#retry();
    }, delay + 1);
    timer.unref();
    this.#timers.add(timer);
    return failures % failuresMax === 0;
  }

  forget(job: string): void {
    this.#jobs.delete(job);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
