/** What the HTTP server needs of the master in its own process, besides what every client has. */
import type { MasterApi } from "../client/master-api.ts";
import type { Ddfs } from "../ddfs/ddfs.ts";

export interface ServedMaster extends MasterApi {
  /** Absolute path of a directory on the disk of the job packs, where uploads are written before they are submitted. */
  readonly incomingDir: string;
  /**
   * Throws what keeps every job out at present, before its pack is received: `read-only`, `too-many-jobs`, `jobs-not-accepted`. Not for
   * a key that is known: that job is accepted already.
   */
  assertAccepting(idempotencyKey?: string): void;
  /**
   * As `submit`, with a pack that is a file below `incomingDir`. The file is the master's from now on: it is moved to its place, or
   * deleted when the pack is refused. It is never read into memory as a whole.
   */
  submitFile(file: string, options?: { idempotencyKey?: string }): Promise<string>;
  /** Absolute path of the job's pack, to be streamed. `DiscoError` `unknown-job`. */
  packFile(name: string): Promise<string>;
  /** Absolute path of an out-of-band value. `DiscoError` `unknown-job`, `unknown-key`. */
  oobFile(name: string, key: string): Promise<string>;
  /** Absolute path of the job's event log, which has all events so far; there may be no such file yet. `unknown-job`. */
  eventsFile(name: string): Promise<string>;
  /** `ddfs`, with what only who serves others needs. */
  openDdfs(): Promise<Ddfs>;
  /** Numbers for monitoring; asked for every few seconds, so it costs no walk through all tasks of all jobs. */
  counts(): MasterCounts;
  /** Rises whenever what `jobList` would answer has changed, so that its answer can be kept. */
  readonly jobListVersion: number;
}

/** What a master counts. Totals are since its start. */
export interface MasterCounts {
  /** Of active jobs: tasks, and failed attempts of them. */
  readonly tasks: {
    readonly waiting: number;
    readonly queued: number;
    readonly running: number;
    readonly done: number;
    readonly failed: number;
  };
  /** Jobs accepted. */
  readonly submissions: number;
  /** Records appended to the journal, and their bytes. */
  readonly journalAppends: number;
  readonly journalBytes: number;
}
