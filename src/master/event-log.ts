/**
 * The event logs of jobs: one file a job, one JSON line an event, beside the master's copy of the job pack.
 *
 * An event's offset is the byte after its line: reading on from there misses nothing and repeats nothing, whichever process
 * does it and whenever. Lines that come in one turn of the event loop are written together; followers are told, nobody polls.
 *
 * E1. A line is in the file as a whole or not at all (`event-file.ts`).
 * E2. A follower sees every line that is in the file after its offset, in order, and ends when the job has ended.
 * E3. Logging never fails a job.
 */
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { JobEvent } from "../client/master-api.ts";
import { jobDirectory, masterHost } from "../node/job-directory.ts";
import { EventFile } from "./event-file.ts";
import { EventReader } from "./event-reader.ts";

/** A longer message is cut: an event is a line for people. */
const messageCharsMax = 64 * 1024;
/** Lines that wait for the end of the turn; a loop that logs without end must not fill the memory. */
const bufferedCharsMax = 1024 * 1024;

interface Log {
  readonly file: EventFile;
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

  /** Begins the log of a job that is active; `isNew`: it has no file yet. */
  begin(job: string, isNew = false): void {
    const log = this.#log(job);
    log.ended = false;
    if (isNew) log.file.startEmpty();
  }

  /** `number`: of a line that the core decided (`Log.line`). */
  add(job: string, event: JobEvent, number: number | null = null): void {
    const log = this.#log(job);
    const { message } = event;
    const cut =
      message.length > messageCharsMax ? { ...event, message: `${message.slice(0, messageCharsMax)}…` } : event;
    log.file.add(cut, number);
    this.#dirty.add(log);
    if (log.file.chars > bufferedCharsMax) this.#write(log);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }

  /** Number of the last numbered line of the job's log; -1: there is none. */
  lastNumber(job: string): number {
    const known = this.#logs.get(job);
    return (known?.file ?? new EventFile(this.file(job))).lastNumber();
  }

  /** No more events: followers end when they have read all. */
  end(job: string): void {
    const log = this.#logs.get(job);
    if (log === undefined) return;
    this.#write(log);
    log.ended = true;
    // What the disk had no room for is tried again with the next flush.
    this.#logs.delete(job);
    wake(log);
  }

  /** Deletes the job's log and its pack. */
  async forget(job: string): Promise<void> {
    const log = this.#logs.get(job);
    this.end(job);
    if (log !== undefined) this.#dirty.delete(log);
    await rm(dirname(this.file(job)), { recursive: true, force: true });
  }

  /** Writes what waits. `false`: some of it could not be written, and is tried again with the next flush. */
  flush(): boolean {
    this.#scheduled = false;
    for (const log of this.#dirty) this.#write(log);
    return this.#dirty.size === 0;
  }

  /** Absolute path of the job's log. */
  file(job: string): string {
    return join(this.#dataDir, jobDirectory(masterHost, job), "events");
  }

  /**
   * Events after a byte offset, each with the offset behind it.
   * One that is not at the beginning of a line goes back to it (`event-reader.ts`).
   * @throws DiscoError `bad-offset` when it is no number of bytes
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
    const lines = new EventReader(this.file(job), offset);
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

  #write(log: Log): void {
    if (log.file.write()) this.#dirty.delete(log);
    wake(log);
  }

  #log(job: string): Log {
    let log = this.#logs.get(job);
    if (log === undefined) {
      log = { file: new EventFile(this.file(job)), ended: false, followers: new Set() };
      this.#logs.set(job, log);
    }
    return log;
  }
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
