/** Records to chunks: lists of compressed blocks (`protocol/block.ts`), each of about the size that was asked for. */
import { DiscoError } from "../../errors.ts";
import { RecordColumns } from "../../protocol/block-records.ts";
import { unknownHash } from "../../protocol/hash.ts";
import { describe } from "../../worker/describe.ts";
import { unsortedBlockBytes, writeRecords } from "../../worker/storage/block-writer.ts";

/** Of the arrays by which records are ordered. */
const indexBytes = 8;
/** Memory of the records of a block at least: smaller ones compress badly. */
const blockBytesMin = 16 * 1024;

export interface Chunk {
  readonly blocks: readonly Uint8Array[];
  /** Bytes of all blocks. */
  readonly size: number;
  readonly records: number;
}

export class ChunkWriter {
  readonly #chunkBytes: number;
  readonly #recordBytesMax: number;
  readonly #blockBytes: number;
  readonly #waiting: RecordColumns;
  #blocks: Uint8Array[] = [];
  #size = 0;
  #records = 0;

  /** Both in bytes: of compressed blocks, after which a chunk ends, and of a record in memory at most. */
  constructor(chunkBytes: number, recordBytesMax: number) {
    this.#chunkBytes = chunkBytes;
    // Where chunks are to be small, blocks are: a chunk is a whole number of them.
    this.#blockBytes = Math.min(unsortedBlockBytes, Math.max(blockBytesMin, chunkBytes));
    this.#waiting = new RecordColumns(indexBytes, this.#blockBytes);
    this.#recordBytesMax = recordBytesMax;
  }

  /** @throws DiscoError `bad-value`, `record-too-large` */
  add(key: unknown, value: unknown): void {
    const waiting = this.#waiting;
    if (!waiting.add(0, key, value, unknownHash)) {
      this.#flush();
      waiting.add(0, key, value, unknownHash);
    }
    if (waiting.lastBytes > this.#recordBytesMax) throw tooLarge(key, waiting.lastBytes, this.#recordBytesMax);
    this.#records++;
    if (waiting.bytes >= this.#blockBytes) this.#flush();
  }

  /** The chunk, if it is full by now; `null`: more fits. */
  takeFull(): Chunk | null {
    return this.#size >= this.#chunkBytes ? this.#take() : null;
  }

  /** What is left; `null`: nothing. */
  takeRest(): Chunk | null {
    this.#flush();
    return this.#size === 0 ? null : this.#take();
  }

  release(): void {
    this.#waiting.release();
    this.#blocks = [];
  }

  #take(): Chunk {
    // Records that wait are the next chunk's.
    const chunk = { blocks: this.#blocks, size: this.#size, records: this.#records - this.#waiting.count };
    this.#blocks = [];
    this.#size = 0;
    this.#records = this.#waiting.count;
    return chunk;
  }

  #flush(): void {
    if (this.#waiting.count === 0) return;
    writeRecords(
      this.#waiting,
      { labelCount: 1, order: "as-added", codec: "zstd" },
      () => ({
        digest: null,
        sink: (block) => {
          this.#blocks.push(Uint8Array.from(block));
          this.#size += block.length;
          return 0;
        },
      }),
      () => {},
    );
  }
}

function tooLarge(key: unknown, bytes: number, bytesMax: number): DiscoError {
  return new DiscoError(`the record with the key ${describe(key)} takes ${bytes} bytes, ${bytesMax} at most`, {
    code: "record-too-large",
    hint: "Raise maxRecordSize, and remember that each worker has to hold such a record.",
  });
}
