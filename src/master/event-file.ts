/**
 * The file of one job's events. Lines that the core decided carry their number (`n`): a master that replays the decisions knows
 * from the last one which of them a crash has kept out of the file.
 *
 * F1. A line is in the file as a whole or not at all: a write that a full disk cut short is taken back, and what a crash
 *     may have left of one is cut off before the next.
 * F2. Numbered lines are in the file in order and without a gap: those that cannot be written wait for the next write.
 *     Others are dropped and counted, and the count is the next line that can be written.
 */
import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readSync, truncateSync } from "node:fs";
import { dirname } from "node:path";
import type { JobEvent } from "../client/master-api.ts";
import { privateDirectoryMode, privateFileMode } from "../node/private-modes.ts";

/** What waits for a disk with room is kept up to here; then it is dropped, numbers and all. */
const waitingCharsMax = 4 * 1024 * 1024;
const tailBytes = 64 * 1024;
const lineFeed = 10;

interface Line {
  readonly text: string;
  readonly numbered: boolean;
}

export class EventFile {
  readonly path: string;
  #lines: Line[] = [];
  /** Characters that wait to be written. */
  chars = 0;
  #dropped = 0;
  /** Bytes in the file; `null`: not known yet. */
  #size: number | null = null;
  #lastNumber: number | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** The file is known to be new: there is nothing to look for in it. */
  startEmpty(): void {
    this.#lastNumber ??= -1;
  }

  /** `number`: of a line that the core decided. */
  add({ time, host, task, level, message }: JobEvent, number: number | null): void {
    const event = { time, host, task, level, message };
    const text = JSON.stringify(number === null ? event : { ...event, n: number });
    this.#lines.push({ text, numbered: number !== null });
    if (number !== null) this.#lastNumber = number;
    this.chars += text.length;
  }

  /**
   * The number of the last numbered line, those that wait included; -1: there is none. A file with none at all that is not empty
   * was written by a release that did not number them: no number is new to it.
   */
  lastNumber(): number {
    try {
      return (this.#lastNumber ??= this.#look().lastNumber);
    } catch {
      // It cannot be read: whoever writes next will hear of it.
      return Number.MAX_SAFE_INTEGER;
    }
  }

  /** `false`: there are lines that could not be written. */
  write(): boolean {
    if (this.#lines.length === 0) return true;
    const lines = this.#lines.map(({ text }) => text);
    if (this.#dropped > 0) {
      const message = `${this.#dropped} events could not be written and are lost`;
      const time = new Date().toISOString();
      lines.unshift(JSON.stringify({ time, host: "master", task: null, level: "warning", message }));
    }
    const bytes = Buffer.from(`${lines.join("\n")}\n`, "utf8");
    try {
      this.#size ??= this.#look().size;
      appendFileSync(this.path, bytes, { mode: privateFileMode });
      this.#size += bytes.byteLength;
    } catch {
      this.#takeBack();
      this.#keepNumbered();
      return false;
    }
    this.#dropped = 0;
    this.#lines = [];
    this.chars = 0;
    return true;
  }

  #keepNumbered(): void {
    const kept = this.chars > waitingCharsMax ? [] : this.#lines.filter(({ numbered }) => numbered);
    this.#dropped += this.#lines.length - kept.length;
    this.#lines = kept;
    this.chars = kept.reduce((sum, { text }) => sum + text.length, 0);
  }

  /** Cuts off what a failed write may have left. */
  #takeBack(): void {
    try {
      if (this.#size !== null) truncateSync(this.path, this.#size);
    } catch {
      // There is no file: nothing to take back. The next write looks again.
    }
    this.#size = null;
  }

  /** Size and last number, from the end of the file; what is not a whole line there is cut off. Makes the directory if there is none. */
  #look(): { size: number; lastNumber: number } {
    let file: number;
    try {
      file = openSync(this.path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      mkdirSync(dirname(this.path), { recursive: true, mode: privateDirectoryMode });
      return { size: 0, lastNumber: -1 };
    }
    try {
      const { size } = fstatSync(file);
      const end = lastLineFeed(file, size) + 1;
      if (end < size) truncateSync(this.path, end);
      const lastNumber = end === 0 ? -1 : (lastNumberBefore(file, end) ?? Number.MAX_SAFE_INTEGER);
      return { size: end, lastNumber };
    } finally {
      closeSync(file);
    }
  }
}

/** -1: there is none. */
function lastLineFeed(file: number, size: number): number {
  for (let end = size; end > 0; end -= tailBytes) {
    const from = Math.max(0, end - tailBytes);
    const at = readAt(file, from, end).lastIndexOf(lineFeed);
    if (at >= 0) return from + at;
  }
  return -1;
}

/** From the last line that has a number; `null`: none has. `end`: behind a line feed. */
function lastNumberBefore(file: number, end: number): number | null {
  let lineEnd = end - 1;
  for (;;) {
    const lineStart = lastLineFeed(file, lineEnd) + 1;
    const number = numberIn(readAt(file, lineStart, lineEnd).toString("utf8"));
    if (number !== null) return number;
    if (lineStart === 0) return null;
    lineEnd = lineStart - 1;
  }
}

function numberIn(line: string): number | null {
  try {
    const { n } = JSON.parse(line) as { readonly n?: unknown };
    return typeof n === "number" ? n : null;
  } catch {
    return null;
  }
}

function readAt(file: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  let read = 0;
  while (read < bytes.length) {
    const count = readSync(file, bytes, read, bytes.length - read, from + read);
    if (count === 0) break;
    read += count;
  }
  return bytes.subarray(0, read);
}
