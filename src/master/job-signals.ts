/** Tells those who wait that a job has changed, or has ended. Nobody polls. */

export class JobSignals {
  readonly #changes = new Map<string, Set<() => void>>();
  readonly #ends = new Map<string, Set<() => void>>();

  /** How many listeners there are, each counted once for each job that it waits for. */
  get waiting(): number {
    return [...this.#changes.values(), ...this.#ends.values()].reduce((sum, { size }) => sum + size, 0);
  }

  changed(job: string): void {
    fire(this.#changes, job);
  }

  /** It has ended, or is not known any more. */
  ended(job: string): void {
    fire(this.#changes, job);
    fire(this.#ends, job);
  }

  all(): void {
    for (const job of [...this.#changes.keys(), ...this.#ends.keys()]) this.ended(job);
  }

  /** Resolves at the job's next change. */
  nextChange(job: string, signal?: AbortSignal): Promise<void> {
    return wait(this.#changes, [job], null, signal);
  }

  /** Resolves when one of the jobs ends, or after `timeoutMs`. */
  oneEnds(jobs: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return wait(this.#ends, jobs, timeoutMs, signal);
  }
}

type Listeners = Map<string, Set<() => void>>;

/** Longer delays overflow the timer and would fire at once. */
const timerMsMax = 2 ** 31 - 1;

function fire(listeners: Listeners, job: string): void {
  const those = listeners.get(job);
  listeners.delete(job);
  for (const listener of those ?? []) listener();
}

function wait(
  listeners: Listeners,
  jobs: readonly string[],
  timeoutMs: number | null,
  signal?: AbortSignal,
): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", done);
    for (const job of jobs) {
      const those = listeners.get(job);
      those?.delete(done);
      if (those?.size === 0) listeners.delete(job);
    }
    resolve();
  };
  const timer = timeoutMs === null ? undefined : setTimeout(done, Math.min(timeoutMs, timerMsMax));
  for (const job of jobs) {
    const those = listeners.get(job);
    if (those === undefined) listeners.set(job, new Set([done]));
    else those.add(done);
  }
  signal?.addEventListener("abort", done);
  return promise;
}
