/**
 * A master that does not lead: it folds the journal as it grows, and hears what tasks say (`LineFeed`), so that it can answer
 * questions, and go on where the other one ends.
 *
 * Fetching is at its own pace, and nothing is decided by what it knows. How old that is, is asked of the journal once a second.
 */
import { setTimeout as after } from "node:timers/promises";
import { CommError, DiscoError } from "../errors.ts";
import { isGap } from "../journal/fold.ts";
import type { Journal, StoredRecord } from "../journal/journal.ts";
import type { FedLine, LineFeed } from "../lines/lines.ts";

export interface FollowingParts {
  readonly journal: Journal;
  readonly lines: LineFeed | undefined;
  /** Seq of the last record that was folded. */
  readonly seq: () => number;
  readonly fold: (stored: StoredRecord) => void;
  readonly take: (line: FedLine) => void;
  /** What is to come next was trimmed: the state is read anew, from a snapshot. */
  readonly reload: () => Promise<void>;
  /** The journal cannot be followed any further. */
  readonly failed: (error: unknown) => void;
  readonly now: () => number;
}

const retryMs = 250;
const lookMs = 1_000;

export class Following {
  readonly #parts: FollowingParts;
  readonly #over = new AbortController();
  /** When all that was in the journal was folded (ms since 1970). */
  levelAt: number;

  constructor(parts: FollowingParts) {
    this.#parts = parts;
    this.levelAt = parts.now();
  }

  start(): void {
    void this.#records();
    void this.#level();
    if (this.#parts.lines !== undefined) void this.#lines(this.#parts.lines);
  }

  stop(): void {
    this.#over.abort();
  }

  async #records(): Promise<void> {
    const { journal, seq, fold, failed } = this.#parts;
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        for await (const stored of journal.follow(seq() + 1, signal)) {
          if (signal.aborted) return;
          fold(stored);
        }
      } catch (error) {
        if (signal.aborted) return;
        const fatal = await this.#recover(error);
        if (fatal !== null) {
          failed(fatal);
          return;
        }
      }
      await this.#pause(retryMs);
    }
  }

  /** `null`: it can be followed on. */
  async #recover(error: unknown): Promise<unknown> {
    if (!isGap(error)) return passes(error) ? null : error;
    try {
      await this.#parts.reload();
      return null;
    } catch (cause) {
      return passes(cause) ? null : cause;
    }
  }

  async #level(): Promise<void> {
    const { journal, seq, now } = this.#parts;
    while (!this.#over.signal.aborted) {
      const asked = now();
      try {
        const head = await journal.head();
        if (head.seq <= seq()) this.levelAt = asked;
      } catch {
        // The age of what is known rises.
      }
      await this.#pause(lookMs);
    }
  }

  async #lines(feed: LineFeed): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        for await (const lines of feed.follow(signal)) {
          if (signal.aborted) return;
          for (const line of lines) this.#parts.take(line);
        }
      } catch {
        // A log without some lines; it is followed again.
      }
      await this.#pause(retryMs);
    }
  }

  async #pause(ms: number): Promise<void> {
    await after(ms, undefined, { ref: false, signal: this.#over.signal }).catch(() => undefined);
  }
}

function passes(error: unknown): boolean {
  return error instanceof CommError || (error instanceof DiscoError && error.retry === "here");
}
