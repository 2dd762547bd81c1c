/**
 * Lines of a feed on their way into the logs of a master that follows. The feed begins with what is there, so that a master which
 * was started again hears lines that it has; and it may be faster than the journal, and speak of jobs that are not known yet.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { JobEvent } from "../client/master-api.ts";
import type { FedLine } from "../lines/lines.ts";
import type { EventLogs } from "./event-log.ts";

/** Of a log that was there at the start, so much is compared. */
const comparedBytes = 4 * 1024 * 1024;
/** Logs of which is remembered what was in them. */
const rememberedJobs = 1_000;
/** Lines of jobs that are not known yet. */
const earlyLinesMax = 1_000;

export interface FedLinesParts {
  readonly logs: EventLogs;
  readonly knows: (job: string) => boolean;
  readonly isActive: (job: string) => boolean;
}

export class FedLines {
  readonly #parts: FedLinesParts;
  /** By job: lines that its log had when its first line came. */
  readonly #had = new Map<string, ReadonlySet<string>>();
  #early: FedLine[] = [];

  constructor(parts: FedLinesParts) {
    this.#parts = parts;
  }

  take(line: FedLine): void {
    const { knows, isActive, logs } = this.#parts;
    const { job, event } = line;
    if (!knows(job)) {
      this.#early.push(line);
      if (this.#early.length > earlyLinesMax) this.#early.shift();
      return;
    }
    if (this.#before(job).has(keyOf(event))) return;
    logs.add(job, event);
    if (!isActive(job)) logs.end(job);
  }

  /** The job is known now. */
  began(job: string): void {
    const lines = this.#early.filter((line) => line.job === job);
    if (lines.length === 0) return;
    this.#early = this.#early.filter((line) => line.job !== job);
    for (const line of lines) this.take(line);
  }

  forget(job: string): void {
    this.#had.delete(job);
  }

  #before(job: string): ReadonlySet<string> {
    let had = this.#had.get(job);
    if (had === undefined) {
      const [oldest] = this.#had.keys();
      if (oldest !== undefined && this.#had.size >= rememberedJobs) this.#had.delete(oldest);
      this.#parts.logs.flush();
      this.#had.set(job, (had = linesOf(this.#parts.logs.file(job))));
    }
    return had;
  }
}

function keyOf({ time, host, task, level, message }: JobEvent): string {
  return JSON.stringify([time, host, task, level, message]);
}

function linesOf(path: string): Set<string> {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return new Set();
  }
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, comparedBytes));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return new Set(bytes.toString("utf8", 0, read).split("\n").flatMap(keyIn));
  } catch {
    return new Set();
  } finally {
    closeSync(file);
  }
}

function keyIn(line: string): string[] {
  try {
    return [keyOf(JSON.parse(line) as JobEvent)];
  } catch {
    return [];
  }
}
