/**
 * `joblist`: pages and scripts ask for it every few seconds, and thousands of jobs are a large answer. Its bytes are made once for each
 * version of the list, however many ask.
 */
import type { JobListEntry } from "../../client/master-api.ts";
import type { ServedMaster } from "../served-master.ts";

export type WireJob = readonly [seconds: number, status: string, name: string];

/** The newest first, as the master has it. */
export function wireJobList(jobs: readonly JobListEntry[]): WireJob[] {
  return jobs.map(({ name, status, submittedAt }) => [Math.floor(submittedAt / 1000), status, name]);
}

export class JobListBody {
  readonly #master: ServedMaster;
  #kept: { readonly version: number; readonly body: Buffer } | null = null;

  constructor(master: ServedMaster) {
    this.#master = master;
  }

  async get(): Promise<Buffer> {
    const version = this.#master.jobListVersion;
    if (this.#kept !== null && this.#kept.version === version) return this.#kept.body;
    const body = Buffer.from(JSON.stringify(wireJobList(await this.#master.jobList())), "utf8");
    // What changed while it was made is in the next one.
    this.#kept = { version, body };
    return body;
  }
}
