/** What `disco run --profile` has to say at the end: the profiles of all jobs of the run, merged. */
import type { Disco } from "../../client/disco.ts";
import type { JobInfo } from "../../client/master-api.ts";
import type { ProfileStats } from "../../client/profile/profile-stats.ts";
import { DiscoError } from "../../errors.ts";

export class ProfileReport {
  readonly #disco: Disco;
  readonly #collecting = new Map<string, Promise<ProfileStats | null>>();

  constructor(disco: Disco) {
    this.#disco = disco;
  }

  /** Takes the profile of a job that has ended, before the module forgets it. */
  async collect(name: string): Promise<void> {
    let collecting = this.#collecting.get(name);
    if (collecting === undefined) this.#collecting.set(name, (collecting = this.#profileOf(name)));
    await collecting;
  }

  /** `null` when no task has ended. */
  async finish(jobs: readonly JobInfo[]): Promise<ProfileStats | null> {
    for (const { name, status } of jobs) if (status !== "active") await this.collect(name);
    const all = (await Promise.all(this.#collecting.values())).filter((stats) => stats !== null);
    const [first] = all;
    if (first === undefined || all.length === 1) return first ?? null;
    const { ProfileStats } = await import("../../client/profile/profile-stats.ts");
    return ProfileStats.merged(all, `${all.length} jobs`);
  }

  /** A run does not fail because of its profile. */
  async #profileOf(name: string): Promise<ProfileStats | null> {
    try {
      return await this.#disco.profileStats(name);
    } catch (error) {
      if (!(error instanceof DiscoError)) throw error;
      process.stderr.write(`disco: ${error.message}\n`);
      return null;
    }
  }
}
