/**
 * Lines of job logs that are not in the journal: what tasks say (`MSG`). The master that leads adds them, the others hear them,
 * so that each has them when it takes over. It is a feed with a fixed size: the oldest go first. Nothing is decided by a line, and
 * one that is lost is missing in a log, no more.
 */
import type { JobEvent } from "../client/master-api.ts";

export interface FedLine {
  readonly job: string;
  readonly event: JobEvent;
}

export interface LineFeed {
  /** In the background, in order; lines that cannot be written are dropped. */
  add(lines: readonly FedLine[]): void;
  /** What is there, oldest first, then what comes, until the signal aborts. Goes on by itself after outages. */
  follow(signal: AbortSignal): AsyncIterable<readonly FedLine[]>;
}
