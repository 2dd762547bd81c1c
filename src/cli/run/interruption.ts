/**
 * Ctrl-C. Once: the jobs are killed, the engine is closed, and the command says so. Twice: the process ends at once, and
 * its workers, which watch it, end too.
 */
import { exitCodes } from "../exit-codes.ts";

/** npm and the terminal both deliver one key press: signals so close together are one. */
const samePressMs = 150;

export class Interrupted extends Error {
  override name = "Interrupted";
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(signal === "SIGINT" ? "interrupted" : "terminated");
    this.exitCode = signal === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated;
  }
}

export class Interruption {
  /** Rejects with `Interrupted` at the first signal. */
  readonly happened: Promise<never>;
  readonly #reject: (reason: Interrupted) => void;
  readonly #onFirst: () => void;
  #firstAt: number | null = null;

  constructor(onFirst: () => void) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.happened = promise;
    this.#reject = reject;
    this.#onFirst = onFirst;
    process.on("SIGINT", this.#handle).on("SIGTERM", this.#handle);
  }

  /** Signals are Node's again, but for a command that was interrupted: its end is near, and its exit code is known. */
  close(): void {
    if (this.#firstAt !== null) return;
    process.off("SIGINT", this.#handle).off("SIGTERM", this.#handle);
  }

  readonly #handle = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (this.#firstAt === null) {
      this.#firstAt = now;
      this.#onFirst();
      this.#reject(new Interrupted(signal));
    } else if (now - this.#firstAt > samePressMs) {
      process.exit(new Interrupted(signal).exitCode);
    }
  };
}
