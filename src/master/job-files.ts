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
import { privateDirectoryMode, privateFileMode } from "../node/private-modes.ts";

export class JobFiles {
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** `false` when another job has the name already. */
  claim(job: string): boolean {
    const directory = this.#directory(job);
    const made = this.#make(directory);
    if (made !== null) return made;
    // One of 256 directories above, which other engines make as well.
    mkdirSync(dirname(directory), { recursive: true, mode: privateDirectoryMode });
    return this.#make(directory) ?? false;
  }

  async writePack(job: string, pack: Uint8Array): Promise<void> {
    await writeWhole(this.packFile(job), pack, privateFileMode);
  }

  /** As `writePack`, with a pack that is a file on the same disk: it is moved. */
  async adoptPack(job: string, file: string): Promise<void> {
    await rename(file, this.packFile(job));
  }

  /** Absolute path of the job's pack. */
  packFile(job: string): string {
    return join(this.#directory(job), "jobfile");
  }

  /** Gives a claimed name up: no job came of it. */
  async unclaim(job: string): Promise<void> {
    await rm(this.#directory(job), { recursive: true, force: true });
  }

  /** @throws DiscoError `no-job-pack` */
  async readPack(job: string): Promise<Uint8Array> {
    try {
      return await readFile(this.packFile(job));
    } catch (cause) {
      throw new DiscoError(`the job pack of ${job} cannot be read`, { code: "no-job-pack", job, cause });
    }
  }

  /** `false`: it is there already. `null`: the directory above is not there. */
  #make(directory: string): boolean | null {
    try {
      mkdirSync(directory, { mode: privateDirectoryMode });
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST") return false;
      if (code === "ENOENT") return null;
      throw error;
    }
  }

  #directory(job: string): string {
    return join(this.#dataDir, jobDirectory(masterHost, job));
  }
}
