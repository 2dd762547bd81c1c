/**
 * Names that were claimed for jobs whose records are not in the journal yet. Each has a note (`DATA/_incoming/JOB.claim`), removed
 * when the job is recorded; so a daemon that was killed in between leaves no directory that nobody will ever ask for.
 *
 * Engines that run beside the daemon claim names in the same directories; they leave no notes, and their claims are not touched.
 */
import { rmSync, writeFileSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { privateDirectoryMode } from "../node/private-modes.ts";
import type { JobFiles } from "./job-files.ts";

const suffix = ".claim";

export class Claims {
  readonly #directory: string;

  /** `directory`: for uploads and notes, this daemon's alone. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** To be called when the name is claimed. */
  note(job: string): void {
    writeFileSync(this.#file(job), "");
  }

  /** The job is in the journal, or the name was given back. */
  settle(job: string): void {
    rmSync(this.#file(job), { force: true });
  }

  /** Names of claims that were never settled; everything else in the directory is half of an upload, and deleted. */
  async sweep(): Promise<string[]> {
    await mkdir(this.#directory, { recursive: true, mode: privateDirectoryMode });
    const names = await readdir(this.#directory);
    const claims = names.filter((name) => name.endsWith(suffix));
    for (const name of names.filter((other) => !other.endsWith(suffix)))
      await rm(join(this.#directory, name), { recursive: true, force: true });
    return claims.map((name) => name.slice(0, -suffix.length));
  }

  /** Deletes what a predecessor has claimed for jobs that it never recorded. `knows`: whether the journal has the job. */
  async giveBack(knows: (job: string) => boolean, files: Pick<JobFiles, "unclaim">): Promise<void> {
    for (const job of await this.sweep()) {
      if (!knows(job)) await files.unclaim(job);
      this.settle(job);
    }
  }

  #file(job: string): string {
    return join(this.#directory, `${job}${suffix}`);
  }
}
