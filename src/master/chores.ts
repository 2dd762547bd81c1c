/** Work that is under way for jobs and that nobody decides by: stopping their workers, deleting their files. */

export class Chores {
  readonly #jobs = new Map<string, Set<Promise<void>>>();

  /** A failure is nobody's: a node that does not answer has nothing to stop, or names its leftovers when it joins again. */
  add(job: string, work: Promise<void>): void {
    let chores = this.#jobs.get(job);
    if (chores === undefined) this.#jobs.set(job, (chores = new Set()));
    const those = chores;
    const chore = work
      .catch(() => undefined)
      .then(() => {
        those.delete(chore);
        if (those.size === 0 && this.#jobs.get(job) === those) this.#jobs.delete(job);
      });
    those.add(chore);
  }

  /** Resolves when nothing is under way for the job, or when the patience is over. */
  async settled(job: string, patienceMs: number = Number.POSITIVE_INFINITY): Promise<void> {
    await within(patienceMs, this.#all(job));
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return this.#jobs.size === 0;
  }

  /** Resolves when nothing is under way, or when the patience is over. */
  async allSettled(patienceMs: number = Number.POSITIVE_INFINITY): Promise<void> {
    await within(patienceMs, Promise.all([...this.#jobs.keys()].map((job) => this.#all(job))));
  }

  async #all(job: string): Promise<void> {
    for (let chores = this.#jobs.get(job); chores !== undefined; chores = this.#jobs.get(job))
      await Promise.all(chores);
  }
}

async function within(patienceMs: number, settled: Promise<unknown>): Promise<void> {
  if (patienceMs === Number.POSITIVE_INFINITY) {
    await settled;
    return;
  }
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, patienceMs);
  await Promise.race([settled, late]);
  clearTimeout(timer);
}
