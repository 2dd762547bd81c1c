/** Timers of the deciding core: a key that is due at a time. They never hold the process. */

/** Longer delays overflow; such a timer is set again when this has passed. */
const timerMsMax = 2 ** 31 - 1;

export class Timers {
  readonly #now: () => number;
  readonly #due: (key: string) => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(now: () => number, due: (key: string) => void) {
    this.#now = now;
    this.#due = due;
  }

  /** `at`: milliseconds since 1970. */
  set(key: string, at: number): void {
    const delay = Math.max(0, at - this.#now());
    clearTimeout(this.#timers.get(key));
    const timer = setTimeout(
      () => {
        this.#timers.delete(key);
        if (delay > timerMsMax) this.set(key, at);
        else this.#due(key);
      },
      Math.min(delay, timerMsMax),
    );
    timer.unref();
    this.#timers.set(key, timer);
  }

  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
