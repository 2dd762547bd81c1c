/** Writes records that come in ascending order as one sorted run. */
import { RecordColumns } from "../../protocol/block-records.ts";
import { unknownHash } from "../../protocol/hash.ts";
import { addBatch, type BatchTarget } from "./add-batch.ts";
import type { Batch } from "./batch.ts";
import { type BlockSink, type Written, writeRecords } from "./block-writer.ts";

/** Estimated bytes of memory of records that wait: a few blocks. */
const waitingBytes = 1024 * 1024;

export class RunWriter {
  readonly #records = new RecordColumns();
  readonly #sink: BlockSink;
  readonly #target: BatchTarget = {
    waiting: this.#records,
    waitingBytesMax: waitingBytes,
    recordBytesMax: Number.POSITIVE_INFINITY,
    add: (key, value) => {
      if (!this.#records.add(0, key, value, unknownHash)) {
        this.#flush();
        this.#records.add(0, key, value, unknownHash);
      }
      this.#flushFull();
    },
    added: () => this.#flushFull(),
  };
  #offset = -1;
  #length = 0;
  #count = 0;

  constructor(sink: BlockSink) {
    this.#sink = sink;
  }

  add(batch: Batch): void {
    addBatch(batch, 0, this.#target);
  }

  finish(): Written {
    this.#flush();
    this.#records.release();
    return { offset: this.#offset, length: this.#length, records: this.#count };
  }

  #flushFull(): void {
    if (this.#records.bytes >= waitingBytes) this.#flush();
  }

  #flush(): void {
    writeRecords(
      this.#records,
      { labelCount: 1, order: "ascending", codec: "none" },
      () => ({ sink: this.#sink, digest: null }),
      (_, written) => {
        if (this.#offset < 0) this.#offset = written.offset;
        this.#length += written.length;
        this.#count += written.records;
      },
    );
  }
}
