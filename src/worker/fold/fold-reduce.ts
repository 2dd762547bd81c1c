/**
 * Built-in folds as reduce, over batches of records, in memory that does not depend on how many keys there are:
 *
 *   sorted input    the values of a key follow one another: one state at a time
 *   other input     a table of states. When it holds as much as the budget allows its states go to a sorter, which has a budget of its
 *                   own and then the disk; in the end states of equal keys follow one another and are merged
 *
 * Results come in the order of the sorted input, or in the order in which keys came first; where the table was full, sorted by key.
 * Which of them depends on the records alone, as every attempt of a task must write the same bytes.
 */
import { type FoldName, type FoldRule, foldRules } from "../../fn/fold-rules.ts";
import { TopPairs } from "../../fn/top-pairs.ts";
import { sameKey } from "../../protocol/order.ts";
import type { Emit } from "../emit.ts";
import { type OwnRecipe, ownRecipe } from "../own.ts";
import { Records } from "../storage/batch.ts";
import { asPair } from "../storage/pair.ts";
import { RecordSorter } from "../storage/record-sorter.ts";
import { isIterable, type Stream } from "../streams/stream.ts";
import { FoldTable } from "./fold-table.ts";

export interface FoldRun {
  readonly emit: Emit;
  /** The records ascend by key. */
  readonly isSorted: boolean;
  /** Bytes for the table; and for records that are sorted, once it was full. */
  readonly tableBytes: number;
  readonly sortBytes: number;
  readonly scratchDir: string;
}

/** What takes the records of a reduce. */
interface Folder {
  add(key: unknown, value: unknown): void;
  finish(): void;
  /** Gives back what it holds on the disk. */
  close(): void;
}

/** The recipe of a built-in reduce; `null`: an ordinary function. */
export function reduceFold(fn: unknown): OwnRecipe | null {
  const recipe = ownRecipe(fn);
  if (recipe === undefined) return null;
  const { name } = recipe;
  return name === "distinct" || name === "top" || Object.hasOwn(foldRules, name) ? recipe : null;
}

/** Runs a built-in reduce over the pairs of a task; a promise only where they come asynchronously. */
export function runFoldReduce(recipe: OwnRecipe, pairs: Stream<unknown>, run: FoldRun): Promise<void> | undefined {
  const folder = folderOf(recipe, run);
  if (!isIterable(pairs)) return takeAsync(pairs as AsyncIterable<unknown>, folder);
  try {
    takeAll(pairs, folder);
  } finally {
    folder.close();
  }
  return undefined;
}

function takeAll(pairs: Iterable<unknown>, folder: Folder): void {
  if (pairs instanceof Records) {
    for (let batch = pairs.nextBatch(); batch !== null; batch = pairs.nextBatch()) {
      const { keys, values, n } = batch;
      for (let i = 0; i < n; i++) folder.add(keys[i], values[i]);
    }
  } else {
    for (const entry of pairs) takePair(entry, folder);
  }
  folder.finish();
}

async function takeAsync(pairs: AsyncIterable<unknown>, folder: Folder): Promise<void> {
  try {
    for await (const entry of pairs) takePair(entry, folder);
    folder.finish();
  } finally {
    folder.close();
  }
}

function takePair(entry: unknown, folder: Folder): void {
  const [key, value] = asPair(entry);
  folder.add(key, value);
}

function folderOf({ name, args = [] }: OwnRecipe, run: FoldRun): Folder {
  if (name === "distinct") return new DistinctFolder(run);
  if (name === "top") return new TopFolder(args[0] as number, run);
  const rule = foldRules[name as FoldName];
  return run.isSorted ? new SortedFolder(rule, run.emit) : new TableFolder(rule, run);
}

class SortedFolder implements Folder {
  readonly #rule: FoldRule;
  readonly #emit: Emit;
  #key: unknown;
  #state: unknown;
  #isEmpty = true;

  constructor(rule: FoldRule, emit: Emit) {
    this.#rule = rule;
    this.#emit = emit;
  }

  add(key: unknown, value: unknown): void {
    if (!this.#isEmpty && (key === this.#key || sameKey(key, this.#key))) {
      this.#state = this.#rule.add(this.#state, value, key);
      return;
    }
    this.finish();
    this.#isEmpty = false;
    this.#key = key;
    this.#state = this.#rule.start(value, key);
  }

  finish(): void {
    if (!this.#isEmpty) this.#emit(this.#key, this.#state);
    this.#isEmpty = true;
  }

  close(): void {}
}

class TableFolder implements Folder {
  readonly #rule: FoldRule;
  readonly #run: FoldRun;
  readonly #table: FoldTable;
  #sorter: RecordSorter | null = null;

  constructor(rule: FoldRule, run: FoldRun) {
    this.#rule = rule;
    this.#run = run;
    this.#table = new FoldTable(rule, tableOptions);
  }

  add(key: unknown, value: unknown): void {
    this.#table.add(key, value);
    if (this.#table.bytes >= this.#run.tableBytes) this.#spill();
  }

  finish(): void {
    if (this.#sorter === null) {
      this.#table.drain(this.#run.emit);
      return;
    }
    this.#spill();
    const { start, merge } = { start: (state: unknown) => state, merge: this.#rule.merge };
    const merged = new SortedFolder({ name: this.#rule.name, start, add: merge, merge }, this.#run.emit);
    takeAll(this.#sorter.finish(), merged);
  }

  close(): void {
    this.#sorter?.close();
  }

  #spill(): void {
    const sorter = this.#sorter ?? newSorter(this.#run);
    this.#sorter = sorter;
    this.#table.drain((key, state) => sorter.add(key, state));
  }
}

/**
 * Different pairs. Most keys have one value, and are found by the key alone; second values wait in a table whose keys are pairs, as do
 * all pairs in the sorter.
 */
class DistinctFolder implements Folder {
  readonly #run: FoldRun;
  readonly #firsts = new FoldTable(foldRules.first, tableOptions);
  readonly #others = new FoldTable(foldRules.first, tableOptions);
  #sorter: RecordSorter | null = null;

  constructor(run: FoldRun) {
    this.#run = run;
  }

  add(key: unknown, value: unknown): void {
    if (!this.#firsts.addFirst(key, value)) this.#others.add([key, value], null);
    if (this.#firsts.bytes + this.#others.bytes >= this.#run.tableBytes) this.#spill();
  }

  finish(): void {
    const { emit } = this.#run;
    if (this.#sorter === null && (!this.#run.isSorted || this.#others.size === 0)) {
      this.#firsts.drain(emit);
      this.#others.drain((pair) => emit(...(pair as [unknown, unknown])));
      return;
    }
    this.#spill();
    const pairs = this.#sorter as RecordSorter | null;
    const each = new SortedFolder(foldRules.first, (pair) => emit(...(pair as [unknown, unknown])));
    if (pairs !== null) takeAll(pairs.finish(), each);
  }

  close(): void {
    this.#sorter?.close();
  }

  #spill(): void {
    const sorter = this.#sorter ?? newSorter(this.#run);
    this.#sorter = sorter;
    this.#firsts.drain((key, value) => sorter.add([key, value], null));
    this.#others.drain((pair) => sorter.add(pair, null));
  }
}

class TopFolder implements Folder {
  readonly #best: TopPairs;
  readonly #sums: Folder;
  readonly #emit: Emit;

  constructor(n: number, run: FoldRun) {
    this.#best = new TopPairs(n);
    this.#emit = run.emit;
    const toBest: FoldRun = { ...run, emit: (key, sum) => this.#best.add(key, sum) };
    this.#sums = run.isSorted ? new SortedFolder(foldRules.sum, toBest.emit) : new TableFolder(foldRules.sum, toBest);
  }

  add(key: unknown, value: unknown): void {
    this.#sums.add(key, value);
  }

  finish(): void {
    this.#sums.finish();
    for (const [key, sum] of this.#best.finish()) this.#emit(key, sum);
  }

  close(): void {
    this.#sums.close();
  }
}

/** What comes from storage is nobody else's. */
const tableOptions = { seed: 0, copies: false };

function newSorter({ sortBytes, scratchDir }: FoldRun): RecordSorter {
  return new RecordSorter({ budgetBytes: sortBytes, scratchDir });
}
