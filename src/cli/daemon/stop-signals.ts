/**
 * Signals to a daemon. SIGTERM and SIGINT: it stops in good order; a second one: at once (its journal is made for that). SIGHUP,
 * when the terminal it runs on is closed, is the same; without a terminal it means nothing, since settings are read at the start.
 */
/** npm and the terminal both deliver one key press: signals so close together are one. */
const samePressMs = 150;
const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type StopSignal = keyof typeof numbers;

export class StopSignals {
  /** Resolves with the first signal. */
  readonly first: Promise<StopSignal>;
  readonly #resolve: (signal: StopSignal) => void;
  #firstAt: number | null = null;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<StopSignal>();
    this.first = promise;
    this.#resolve = resolve;
    process.on("SIGTERM", this.#handle).on("SIGINT", this.#handle);
    process.on("SIGHUP", (signal) => {
      if (process.stdout.isTTY) this.#handle(signal as StopSignal);
    });
  }

  readonly #handle = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (this.#firstAt === null) {
      this.#firstAt = now;
      this.#resolve(signal as StopSignal);
    } else if (now - this.#firstAt > samePressMs) {
      process.exit(128 + numbers[signal as StopSignal]);
    }
  };
}
