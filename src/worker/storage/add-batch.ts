/** How writers take batches: as bytes where both the batch and the columns that wait allow it, else record by record. */
import type { RecordColumns } from "../../protocol/block-records.ts";
import type { Batch } from "./batch.ts";

export interface BatchTarget {
  readonly waiting: RecordColumns;
  /** `waiting` is flushed from here on. */
  readonly waitingBytesMax: number;
  readonly recordBytesMax: number;
  /** Takes one record. */
  add(key: unknown, value: unknown): void;
  /** `waiting` has got so many records, and may be full. */
  added(records: number): void;
}

/** Adds all records of a batch, in order, with the label `label`. */
export function addBatch(batch: Batch, label: number, target: BatchTarget): void {
  const { n, texts } = batch;
  for (let i = 0; i < n; ) {
    const taken =
      texts === undefined ? 0 : target.waiting.addTexts(label, texts, i, target.waitingBytesMax, target.recordBytesMax);
    if (taken === 0) target.add(batch.keys[i], batch.values[i]);
    else target.added(taken);
    i += Math.max(1, taken);
  }
}
