/**
 * A built-in fold as combiner, instead of a call for each pair (`combine.ts`): one table for all partitions, emptied at the budget,
 * which the records alone decide. A key's partition is asked for when it is written.
 */
import { type FoldName, foldRules } from "../../fn/fold-rules.ts";
import type { PlacedWriter } from "../key-place.ts";
import { ownRecipe } from "../own.ts";
import { FoldTable } from "./fold-table.ts";

export interface FoldCombinerOptions {
  readonly seed: number;
  readonly budgetBytes: number;
}

export class FoldCombiner {
  readonly #table: FoldTable;
  readonly #isDistinct: boolean;
  readonly #writer: PlacedWriter;
  readonly #budgetBytes: number;

  constructor(name: FoldName | "distinct", writer: PlacedWriter, { seed, budgetBytes }: FoldCombinerOptions) {
    this.#isDistinct = name === "distinct";
    this.#table = new FoldTable(foldRules[name === "distinct" ? "first" : name], { seed, copies: true });
    this.#writer = writer;
    this.#budgetBytes = budgetBytes;
  }

  add(key: unknown, value: unknown): void {
    if (!this.#isDistinct) this.#table.add(key, value);
    // A second value of a key goes on as it is: the reduce looks at it.
    else if (!this.#table.addFirst(key, value)) this.#writer.add(key, value);
    if (this.#table.bytes >= this.#budgetBytes) this.flush();
  }

  flush(): void {
    this.#table.drain((key, state, hash) => this.#writer.add(key, state, hash));
  }
}

/** The name of a fold that is a combiner, if `fn` is one of ours. */
export function combinerFold(fn: unknown): FoldName | "distinct" | null {
  const name = ownRecipe(fn)?.name;
  if (name === undefined) return null;
  return name === "distinct" || Object.hasOwn(foldRules, name) ? (name as FoldName | "distinct") : null;
}
