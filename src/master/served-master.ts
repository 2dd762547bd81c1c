/** What the HTTP server needs of the master in its own process, besides what every client has. */
import type { MasterApi } from "../client/master-api.ts";

export interface ServedMaster extends MasterApi {
  /** Absolute path of a directory on the disk of the job packs, where uploads are written before they are submitted. */
  readonly incomingDir: string;
  /**
   * As `submit`, with a pack that is a file below `incomingDir`. The file is the master's from now on: it is moved to its place, or
   * deleted when the pack is refused. It is never read into memory as a whole.
   */
  submitFile(file: string, options?: { idempotencyKey?: string }): Promise<string>;
  /** Absolute path of the job's pack, to be streamed. `DiscoError` `unknown-job`. */
  packFile(name: string): Promise<string>;
  /** Absolute path of an out-of-band value. `DiscoError` `unknown-job`, `unknown-key`. */
  oobFile(name: string, key: string): Promise<string>;
  /** Rises whenever what `jobList` would answer has changed, so that its answer can be kept. */
  readonly jobListVersion: number;
}
