/**
 * Holds the process while there is a reason to. Everything else of the engine is unreferenced: a script that forgets `close()`
 * ends when its own work is done, and a script that awaits a job does not end before the job.
 */
const dayMs = 24 * 3_600_000;

export class KeepAlive {
  #reasons = 0;
  #timer: NodeJS.Timeout | undefined;

  acquire(): void {
    if (this.#reasons++ === 0) this.#timer = setInterval(() => undefined, dayMs);
  }

  release(): void {
    if (--this.#reasons === 0) clearInterval(this.#timer);
  }

  /** Holds the process until the promise is settled. */
  async during<T>(promise: Promise<T>): Promise<T> {
    this.acquire();
    try {
      return await promise;
    } finally {
      this.release();
    }
  }
}
