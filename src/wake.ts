/**
 * Waiting for something new in a journal or a table: until somebody says that there is some, or until it is time to look anyway. What
 * is said while nobody waits ends the next wait at once, so that nothing is missed between a look and a wait.
 */
export class Wake {
  #called = false;
  #resolve: (() => void) | null = null;

  /** For listeners of channels and signals. */
  readonly call = (): void => {
    this.#called = true;
    this.#resolve?.();
  };

  /** Resolves when it was called since the last time, or after the time. */
  async wait(ms: number): Promise<void> {
    if (!this.#called) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#resolve = resolve;
      const timer = setTimeout(resolve, ms);
      await promise;
      clearTimeout(timer);
      this.#resolve = null;
    }
    this.#called = false;
  }
}
