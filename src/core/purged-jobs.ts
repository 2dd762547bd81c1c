/** Names of the last jobs that were purged, the oldest first: for nodes that were not there then (`leftovers.ts`). */

/** Some hundred kilobytes of the state. */
export const purgedJobsMax = 10_000;

export class PurgedJobs {
  readonly #names = new Set<string>();

  note(job: string): void {
    this.#names.add(job);
    for (const oldest of this.#names) {
      if (this.#names.size <= purgedJobsMax) return;
      this.#names.delete(oldest);
    }
  }

  has(job: string): boolean {
    return this.#names.has(job);
  }

  names(): string[] {
    return [...this.#names];
  }
}
