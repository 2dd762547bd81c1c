/**
 * What the master keeps of a job besides the journal: the job pack as it was submitted, in a directory of the job's own
 * (`DATA/_master/hh/JOB/jobfile`; the event log lies beside it).
 *
 * Making that directory claims the name: two engines that work on one root never give two jobs the same one.
 */
import { mkdirSync } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DiscoError } from "../errors.ts";
import { jobDirectory, masterHost } from "../node/job-directory.ts";
import { writeWhole } from "../node/job-home.ts";

/** Packs that are kept in memory take no more than this: thousands of jobs may wait for their turn. */
const freshBytesDefault = 32 * 1024 * 1024;

export class JobFiles {
  readonly #dataDir: string;
  readonly #freshBytesMax: number;
  readonly #fresh = new Map<string, Uint8Array>();
  #freshBytes = 0;

  constructor(dataDir: string, freshBytesMax: number = freshBytesDefault) {
    this.#dataDir = dataDir;
    this.#freshBytesMax = freshBytesMax;
  }

  /** `false` when another job has the name already. */
  claim(job: string): boolean {
    const directory = this.#directory(job);
    mkdirSync(dirname(directory), { recursive: true });
    try {
      mkdirSync(directory);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  }

  /** Also kept in memory, where there is room, until the first node has asked for it. */
  async writePack(job: string, pack: Uint8Array): Promise<void> {
    if (this.#freshBytes + pack.byteLength <= this.#freshBytesMax) {
      this.#fresh.set(job, pack);
      this.#freshBytes += pack.byteLength;
    }
    await writeWhole(this.packFile(job), pack);
  }

  /** As `writePack`, with a pack that is a file on the same disk: it is moved. */
  async adoptPack(job: string, file: string): Promise<void> {
    await rename(file, this.packFile(job));
  }

  /** Absolute path of the job's pack. */
  packFile(job: string): string {
    return join(this.#directory(job), "jobfile");
  }

  /** The job has ended: no node will ask for its pack. */
  release(job: string): void {
    this.#freshBytes -= this.#fresh.get(job)?.byteLength ?? 0;
    this.#fresh.delete(job);
  }

  /** Gives a claimed name up: no job came of it. */
  async unclaim(job: string): Promise<void> {
    this.release(job);
    await rm(this.#directory(job), { recursive: true, force: true });
  }

  async readPack(job: string): Promise<Uint8Array> {
    const fresh = this.#fresh.get(job);
    this.release(job);
    if (fresh !== undefined) return fresh;
    try {
      return await readFile(this.packFile(job));
    } catch (cause) {
      throw new DiscoError(`the job pack of ${job} cannot be read`, { code: "no-job-pack", job, cause });
    }
  }

  #directory(job: string): string {
    return join(this.#dataDir, jobDirectory(masterHost, job));
  }
}
