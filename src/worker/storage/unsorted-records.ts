/** Runs one after the other, as they were written: the input of a stage that is not sorted. */
import type { Batch, BatchSource } from "./batch.ts";
import { type Run, RunReader } from "./run.ts";

export class UnsortedRecords implements BatchSource {
  readonly #runs: readonly Run[];
  #next = 0;
  #reader: RunReader | null = null;

  constructor(runs: readonly Run[]) {
    this.#runs = runs;
  }

  nextBatch(): Batch | null {
    for (;;) {
      const batch = this.#reader?.next() ?? null;
      if (batch !== null) return batch;
      const run = this.#runs[this.#next++];
      if (run === undefined) return null;
      this.#reader = new RunReader(run);
    }
  }

  close(): void {
    this.#next = this.#runs.length;
    this.#reader = null;
  }
}
