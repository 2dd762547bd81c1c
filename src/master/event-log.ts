/**
 * The event logs of jobs: one file a job, one JSON line an event, beside the master's copy of the job pack.
 *
 * An event's offset is the byte after its line: reading on from there misses nothing and repeats nothing, whichever process
 * does it and whenever. Lines that come in one turn of the event loop are written together; followers are told, nobody polls.
 *
 * E1. A line is in the file as a whole or not at all: a write that a full disk cut short is taken back.
 * E2. A follower sees every line that is in the file after its offset, in order, and ends when the job has ended.
 * E3. Logging never fails a job: lines that cannot be written are counted, and the count is the next line that can.
 */
import { appendFileSync, mkdirSync, statSync, truncateSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { JobEvent } from "../client/master-api.ts";
import { DiscoError } from "../errors.ts";
import { jobDirectory, masterHost } from "../node/job-directory.ts";

const readBytes = 64 * 1024;
/** A longer message is cut: an event is a line for people. */
const messageCharsMax = 64 * 1024;
/** Lines that wait for the end of the turn; a loop that logs without end must not fill the memory. */
const bufferedCharsMax = 1024 * 1024;

interface Log {
  readonly file: string;
  lines: string[];
  chars: number;
  dropped: number;
  /** Bytes in the file; `null`: not known yet. */
  size: number | null;
  ended: boolean;
  readonly followers: Set<() => void>;
}

export class EventLogs {
  readonly #dataDir: string;
  readonly #logs = new Map<string, Log>();
  readonly #dirty = new Set<Log>();
  #scheduled = false;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Begins the log of a job that is active. */
  begin(job: string): void {
    this.#log(job).ended = false;
  }

  add(job: string, event: JobEvent): void {
    const log = this.#log(job);
    const message =
      event.message.length > messageCharsMax ? `${event.message.slice(0, messageCharsMax)}…` : event.message;
    const { time, host, task, level } = event;
    log.lines.push(JSON.stringify({ time, host, task, level, message }));
    log.chars += message.length;
    this.#dirty.add(log);
    if (log.chars > bufferedCharsMax) this.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }

  /** No more events: followers end when they have read all. */
  end(job: string): void {
    const log = this.#logs.get(job);
    if (log === undefined) return;
    this.flush();
    log.ended = true;
    this.#logs.delete(job);
    wake(log);
  }

  /** Deletes the job's log and its pack. */
  async forget(job: string): Promise<void> {
    this.end(job);
    await rm(dirname(this.file(job)), { recursive: true, force: true });
  }

  flush(): void {
    this.#scheduled = false;
    for (const log of this.#dirty) {
      write(log);
      wake(log);
    }
    this.#dirty.clear();
  }

  /** Absolute path of the job's log. */
  file(job: string): string {
    return join(this.#dataDir, jobDirectory(masterHost, job), "events");
  }

  /**
   * Events after a byte offset, each with the offset behind it.
   * @throws DiscoError `bad-offset` when the offset is not the beginning of a line.
   */
  async *read(
    job: string,
    offset: number,
    options: { follow?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<[number, JobEvent]> {
    const follow = options.follow ?? true;
    const { signal } = options;
    const log = this.#logs.get(job);
    if (log !== undefined) this.flush();
    const lines = new LineReader(this.file(job), offset);
    try {
      for (;;) {
        // Asked before the file is read: what is written after the end was told is nothing.
        const over = !follow || log === undefined || log.ended;
        const news = over ? null : nextNews(log, signal);
        let readOn = false;
        try {
          yield* lines.readAll();
          readOn = news !== null && signal?.aborted !== true;
        } finally {
          if (!readOn) news?.stop();
        }
        if (!readOn) return;
        await news?.promise;
      }
    } finally {
      await lines.close();
    }
  }

  #log(job: string): Log {
    let log = this.#logs.get(job);
    if (log === undefined) {
      log = { file: this.file(job), lines: [], chars: 0, dropped: 0, size: null, ended: false, followers: new Set() };
      this.#logs.set(job, log);
    }
    return log;
  }
}

function write(log: Log): void {
  if (log.lines.length === 0) return;
  if (log.dropped > 0) {
    const message = `${log.dropped} events could not be written and are lost`;
    log.lines.unshift(
      JSON.stringify({ time: new Date().toISOString(), host: "master", task: null, level: "warning", message }),
    );
  }
  const bytes = Buffer.from(`${log.lines.join("\n")}\n`, "utf8");
  try {
    log.size ??= sizeOf(log.file);
    appendFileSync(log.file, bytes);
    log.size += bytes.byteLength;
    log.dropped = 0;
  } catch {
    log.dropped += log.lines.length;
    takeBack(log);
  }
  log.lines = [];
  log.chars = 0;
}

/** Bytes of the file; makes its directory if there is none. */
function sizeOf(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Cuts off what a failed write may have left. */
function takeBack(log: Log): void {
  try {
    if (log.size !== null) truncateSync(log.file, log.size);
  } catch {
    // There is no file: nothing to take back. The next write looks again.
  }
  log.size = null;
}

function wake(log: Log): void {
  const followers = [...log.followers];
  log.followers.clear();
  for (const follower of followers) follower();
}

function nextNews(log: Log, signal: AbortSignal | undefined): { promise: Promise<void>; stop: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => {
    log.followers.delete(stop);
    signal?.removeEventListener("abort", stop);
    resolve();
  };
  log.followers.add(stop);
  signal?.addEventListener("abort", stop);
  return { promise, stop };
}

/** Whole lines of a growing file. */
class LineReader {
  readonly #file: string;
  #offset: number;
  #handle: Awaited<ReturnType<typeof open>> | null = null;

  constructor(file: string, offset: number) {
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new DiscoError(`${offset} is not an offset of events`, {
        code: "bad-offset",
        hint: "Use an offset that events() gave.",
      });
    }
    this.#file = file;
    this.#offset = offset;
  }

  async *readAll(): AsyncGenerator<[number, JobEvent]> {
    if (this.#handle === null) {
      try {
        this.#handle = await open(this.#file, "r");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
        throw error;
      }
    }
    let rest = Buffer.alloc(0);
    const buffer = Buffer.alloc(readBytes);
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, readBytes, this.#offset + rest.length);
      if (bytesRead === 0) return;
      let bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
        const line = bytes.toString("utf8", 0, end);
        bytes = bytes.subarray(end + 1);
        this.#offset += end + 1;
        yield [this.#offset, parse(line)];
      }
      rest = bytes;
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }
}

function parse(line: string): JobEvent {
  try {
    return JSON.parse(line) as JobEvent;
  } catch (cause) {
    throw new DiscoError("the offset lies in the middle of an event", {
      code: "bad-offset",
      cause,
      hint: "Use an offset that events() gave.",
    });
  }
}
