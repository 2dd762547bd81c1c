/**
 * Keeps a part of the page up to date, through everything: an answer that does not come is asked for again, after pauses that grow;
 * a tab that nobody sees asks nothing and holds no stream, for a browser opens six connections to a server and no more.
 *
 * L1. A source is heard or lost at `connection`, which tells the reader.
 * L2. What is refused for good (a job that is not known) ends the loop, and is told to `refused`.
 */
import { ApiError } from "./api.ts";
import { connection, showAway } from "./away-line.ts";
import { pauseMs } from "./pause.ts";

export interface Round {
  /** Aborted when nobody looks any more, and by `Live.again`. */
  readonly signal: AbortSignal;
  /** To be called at every sign of life. */
  readonly alive: () => void;
}

export interface LiveOptions {
  /** Unique on its page. */
  readonly source: string;
  /** Asks once, or follows a stream. Resolves with the pause before the next time, in milliseconds; `null`: there is no next time. */
  readonly round: (round: Round) => Promise<number | null>;
  readonly refused?: (error: ApiError) => void;
}

export class Live {
  readonly #options: LiveOptions;
  #round = new AbortController();
  #failures = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#round.abort();
    });
    void this.#run();
  }

  /** Asks at once, in place of what is under way: what is asked for has changed. */
  again(): void {
    this.#round.abort();
  }

  async #run(): Promise<void> {
    const { source, round, refused } = this.#options;
    const alive = (): void => {
      this.#failures = 0;
      connection.heard(source);
      showAway();
    };
    for (;;) {
      await visible();
      this.#round = new AbortController();
      const { signal } = this.#round;
      try {
        const pause = await round({ signal, alive });
        if (signal.aborted) continue;
        if (pause === null) {
          connection.over(source);
          showAway();
          return;
        }
        await passed(pause, signal);
      } catch (error) {
        if (signal.aborted) continue;
        if (error instanceof ApiError && !error.passes) {
          connection.over(source);
          showAway();
          refused?.(error);
          return;
        }
        connection.lost(source, error instanceof ApiError ? error.message : null);
        showAway();
        if (!isExpected(error)) console.error(error);
        await passed(pauseMs(this.#failures++, Math.random()), signal);
      }
    }
  }
}

/** Nobody answers, or too late: a browser has no other names for it. */
function isExpected(error: unknown): boolean {
  return (
    error instanceof ApiError ||
    error instanceof TypeError ||
    error instanceof StreamCut ||
    (error instanceof DOMException && (error.name === "AbortError" || error.name === "TimeoutError"))
  );
}

/** A stream that stopped without having told everything. */
export class StreamCut extends Error {}

async function visible(): Promise<void> {
  while (document.hidden) {
    await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }
}

function passed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
