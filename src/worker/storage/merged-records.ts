/**
 * Sorted runs as one sorted stream: the input of a sorted stage. Memory is bounded by a budget, whatever the number of runs.
 *
 *   1. Many small runs (tiny tasks): neighbours are read into memory together as long as the budget allows, and sorted
 *      again. If that takes all of them, nothing is written at all; else each group becomes one run in a scratch file.
 *   2. Still more runs than may be merged at once: neighbours are merged into longer runs, in the scratch file.
 *   3. The runs that are left are merged as they are read.
 *
 * Only neighbours are ever joined, and every step is stable: equal keys stay in the order of tasks and runs.
 */
import { recordOverheadBytes } from "../../protocol/value-snapshot.ts";
import { ArraySource, type Batch, type BatchSource } from "./batch.ts";
import { MergeTree } from "./merge-tree.ts";
import { largestBlock, OpenFiles, type Run, RunReader } from "./run.ts";
import { RunWriter } from "./run-writer.ts";
import { SegmentFile } from "./segment-file.ts";
import { sortedOrder } from "./sort-order.ts";

/** Runs that are merged at once, at most: more make the tree deep and the reads small. */
const fanInMax = 128;
/**
 * Memory of one run in a merge: one decoded block (`sortedBlockBytes`), the text that its strings are slices of, and of the blocks before it
 * what waits for the collector, which comes late for what has lived long.
 */
const runBytes = 512 * 1024;
/** Memory of a larger block, a single record then, for each of its bytes: as it is read, and decoded. */
const largeBlockFactor = 3;

export interface MergeOptions {
  /** Estimated bytes of memory that records may take. */
  readonly budgetBytes: number;
  /** Absolute path of a folder for a scratch file, which is deleted by itself. */
  readonly scratchDir: string;
}

export class MergedRecords implements BatchSource {
  #source: BatchSource | null = null;
  #runs: readonly Run[];
  readonly #options: MergeOptions;
  #scratch: SegmentFile | null = null;
  /** Bytes of the largest block of runs that were asked for it. */
  readonly #largest = new Map<Run, number>();
  readonly #scratchFiles = new OpenFiles();

  /** The runs must be sorted, and in the order that decides between equal keys. */
  constructor(runs: readonly Run[], options: MergeOptions) {
    this.#runs = runs.filter((run) => run.records > 0);
    this.#options = options;
  }

  nextBatch(): Batch | null {
    this.#source ??= this.#prepare();
    const batch = this.#source.nextBatch();
    if (batch === null) this.close();
    return batch;
  }

  close(): void {
    this.#source?.close();
    this.#source = new ArraySource([], []);
    this.#runs = [];
    this.#scratchFiles.close();
    this.#scratch?.remove();
    this.#scratch = null;
  }

  #prepare(): BatchSource {
    if (!this.#isMergeable()) {
      const whole = this.#sortNeighbours();
      if (whole !== null) return whole;
    }
    while (!this.#isMergeable()) this.#mergeNeighbours();
    return mergeOf(this.#runs);
  }

  #isMergeable(): boolean {
    return this.#mergeEnd(0) === this.#runs.length;
  }

  /** Up to where runs from `from` on may be merged at once: at least two, else as many as the budget holds a block of. */
  #mergeEnd(from: number): number {
    const runs = this.#runs;
    let bytes = 0;
    let to = from;
    for (; to < runs.length && to - from < fanInMax; to++) {
      bytes += this.#mergeBytes(runs[to] as Run);
      if (to - from >= 2 && bytes > this.#options.budgetBytes) break;
    }
    return to;
  }

  /** Memory that a run takes in a merge. */
  #mergeBytes(run: Run): number {
    if (run.length <= runBytes) return runBytes;
    let largest = this.#largest.get(run);
    if (largest === undefined) {
      largest = largestBlock(run);
      this.#largest.set(run, largest);
    }
    return largest <= runBytes ? runBytes : largest * largeBlockFactor;
  }

  /** Estimated bytes of memory of a run's records, all decoded. */
  #memoryOf(run: Run): number {
    const isLarge = this.#mergeBytes(run) > runBytes;
    return run.length * (isLarge ? largeBlockFactor : 1) + run.records * recordOverheadBytes;
  }

  /** Step 1. Returns everything, when all of it fits into memory. */
  #sortNeighbours(): BatchSource | null {
    const joined: Run[] = [];
    const runs = this.#runs;
    for (let from = 0; from < runs.length; ) {
      let to = from;
      let bytes = 0;
      while (
        to < runs.length &&
        (to === from || bytes + this.#memoryOf(runs[to] as Run) <= this.#options.budgetBytes)
      ) {
        bytes += this.#memoryOf(runs[to++] as Run);
      }
      const group = runs.slice(from, to);
      if (group.length === runs.length) return sortInMemory(group);
      joined.push(group.length === 1 ? (group[0] as Run) : this.#write(sortInMemory(group)));
      from = to;
    }
    this.#runs = joined;
    return null;
  }

  /** Step 2. */
  #mergeNeighbours(): void {
    const joined: Run[] = [];
    for (let from = 0; from < this.#runs.length; ) {
      const group = this.#runs.slice(from, this.#mergeEnd(from));
      from += group.length;
      joined.push(group.length === 1 ? (group[0] as Run) : this.#write(mergeOf(group)));
    }
    this.#runs = joined;
  }

  #write(source: BatchSource): Run {
    const scratch = this.#openScratch();
    const writer = new RunWriter((block) => scratch.append(block));
    for (let batch = source.nextBatch(); batch !== null; batch = source.nextBatch()) writer.add(batch);
    source.close();
    const written = writer.finish();
    scratch.flush();
    return { file: scratch.path, files: this.#scratchFiles, ...written, sorted: true, origin: null };
  }

  #openScratch(): SegmentFile {
    if (this.#scratch === null) {
      this.#scratch = SegmentFile.createScratch(this.#options.scratchDir);
      this.#scratchFiles.lend(this.#scratch.path, this.#scratch.fd);
    }
    return this.#scratch;
  }
}

function mergeOf(runs: readonly Run[]): MergeTree {
  return new MergeTree(
    runs.map((run) => new RunReader(run)),
    runs.map((run) => run.length),
  );
}

function sortInMemory(runs: readonly Run[]): BatchSource {
  const keys: unknown[] = [];
  const values: unknown[] = [];
  for (const run of runs) {
    const reader = new RunReader(run);
    for (let batch = reader.next(); batch !== null; batch = reader.next()) {
      for (let i = 0; i < batch.n; i++) {
        keys.push(batch.keys[i]);
        values.push(batch.values[i]);
      }
    }
  }
  const order = sortedOrder(keys);
  return new ArraySource(
    Array.from(order, (index) => keys[index]),
    Array.from(order, (index) => values[index]),
  );
}
