/** Buffered records in the order of their keys, without a file: each batch goes through a block, as it would with one. */
import { decodeBlock, encodeRecords } from "../../protocol/block.ts";
import type { RecordColumns } from "../../protocol/block-records.ts";
import { StringPool } from "../../protocol/string-pool.ts";
import type { Batch, BatchSource } from "./batch.ts";
import { sortByKey } from "./column-order.ts";

const batchRecords = 2048;

export class SortedColumns implements BatchSource {
  readonly #records: RecordColumns;
  readonly #starts: Uint32Array;
  readonly #order: Uint32Array;
  readonly #strings = new StringPool();
  #at = 0;

  /** The records become this source's, which gives their memory back. */
  constructor(records: RecordColumns) {
    this.#records = records;
    this.#starts = records.textStarts();
    this.#order = new Uint32Array(records.count);
    for (let i = 0; i < this.#order.length; i++) this.#order[i] = i;
    sortByKey(records.keys, records.text.bytes, this.#starts, this.#order, 0, this.#order.length);
  }

  nextBatch(): Batch | null {
    const from = this.#at;
    const order = this.#order;
    if (from >= order.length) {
      this.close();
      return null;
    }
    const to = Math.min(order.length, from + batchRecords);
    this.#at = to;
    const block = encodeRecords(this.#records, { order, starts: this.#starts, from, to });
    const { keys, values, records } = decodeBlock(block, 0, this.#strings);
    return { keys, values, n: records };
  }

  close(): void {
    this.#at = this.#order.length;
    this.#records.release();
  }
}
