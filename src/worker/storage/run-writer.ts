/** Writes records that come in ascending order as one sorted run. */
import { RecordColumns } from "../../protocol/block-records.ts";
import { unknownHash } from "../../protocol/hash.ts";
import type { Batch } from "./batch.ts";
import { type BlockSink, type Written, writeRecords } from "./block-writer.ts";

/** Estimated bytes of memory of records that wait: a few blocks. */
const waitingBytes = 1024 * 1024;

export class RunWriter {
  readonly #records = new RecordColumns();
  readonly #sink: BlockSink;
  #offset = -1;
  #length = 0;
  #count = 0;

  constructor(sink: BlockSink) {
    this.#sink = sink;
  }

  add({ keys, values, n }: Batch): void {
    const records = this.#records;
    for (let i = 0; i < n; i++) {
      if (!records.add(0, keys[i], values[i], unknownHash)) {
        this.#flush();
        records.add(0, keys[i], values[i], unknownHash);
      }
      if (records.bytes >= waitingBytes) this.#flush();
    }
  }

  finish(): Written {
    this.#flush();
    this.#records.release();
    return { offset: this.#offset, length: this.#length, records: this.#count };
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
