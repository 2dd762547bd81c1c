/**
 * Writes the results of one attempt of the last stage: a file of blocks for each label that got records. The names contain
 * task and attempt, so nothing is renamed and two attempts never meet.
 */
import fs from "node:fs";
import path from "node:path";
import type { Label, LabelSize } from "../../core/job/spec.ts";
import { DiscoError } from "../../errors.ts";
import type { BlockCodec } from "../../protocol/block.ts";
import { RecordColumns } from "../../protocol/block-records.ts";
import { unknownHash } from "../../protocol/hash.ts";
import { addBatch } from "./add-batch.ts";
import type { Batch } from "./batch.ts";
import { BlockDigest, unsortedBlockBytes, writeRecords } from "./block-writer.ts";
import { recordTooLarge } from "./record-limit.ts";
import { diskError, writeAll } from "./segment-file.ts";
import { digestOf, indexBytes } from "./task-writer.ts";

export interface FinalWriterOptions {
  /** Absolute path of the node's data directory. */
  readonly dataDir: string;
  /** The job's home, relative to `dataDir`. */
  readonly jobDir: string;
  /** `<stage>-<task>-<attempt>`. */
  readonly name: string;
  readonly partitions: number | null;
  /** The task's own label. */
  readonly label: Label;
  /** Estimated bytes of memory that records waiting in buffers may take. */
  readonly budgetBytes: number;
  /** A larger record is refused. Default: any is taken. */
  readonly recordBytesMax?: number;
  /** Default `none`. */
  readonly codec?: BlockCodec;
  /** Wait for the disk before `finish` returns. Default `false`. */
  readonly sync?: boolean;
}

export interface FinalFile extends LabelSize {
  /** Relative to the data directory. */
  readonly file: string;
}

export interface WrittenResults {
  /** Ascending by label; only labels that got records. */
  readonly files: readonly FinalFile[];
  readonly digest: string;
}

export class FinalWriter {
  /** Records added so far. */
  records = 0;
  readonly #options: FinalWriterOptions;
  readonly #recordBytesMax: number;
  readonly #labelCount: number;
  readonly #files: (ResultFile | undefined)[];
  readonly #waiting: RecordColumns;
  readonly #waitingBytesMax: number;

  constructor(options: FinalWriterOptions) {
    this.#options = options;
    this.#recordBytesMax = options.recordBytesMax ?? Number.POSITIVE_INFINITY;
    this.#labelCount = options.partitions ?? 1;
    this.#files = new Array<ResultFile | undefined>(this.#labelCount).fill(undefined);
    this.#waitingBytesMax = Math.min(options.budgetBytes, unsortedBlockBytes * this.#labelCount);
    this.#waiting = new RecordColumns(indexBytes, this.#waitingBytesMax);
  }

  /** Adds a record; `hash` is as for `PairWriter`. @throws DiscoError `bad-value`, `record-too-large`, `bad-partition`, `disk-full`. */
  add(partition: number, key: unknown, value: unknown, hash: number): void {
    const label = this.#options.partitions === null ? 0 : partition;
    if (label >>> 0 !== label || label >= this.#labelCount) throw this.#badPartition(partition);
    const waiting = this.#waiting;
    if (!waiting.add(label, key, value, hash)) {
      this.#flush();
      waiting.add(label, key, value, hash);
    }
    if (waiting.lastBytes > this.#recordBytesMax) throw recordTooLarge(key, waiting.lastBytes, this.#recordBytesMax);
    this.records++;
    if (waiting.bytes >= this.#waitingBytesMax) this.#flush();
  }

  /** Adds all records of a batch; of texts as bytes, where nothing but text waits. Throws as `add` does. */
  addBatch(partition: number, batch: Batch): void {
    const label = this.#options.partitions === null ? 0 : partition;
    if (label >>> 0 !== label || label >= this.#labelCount) throw this.#badPartition(partition);
    addBatch(batch, label, {
      waiting: this.#waiting,
      waitingBytesMax: this.#waitingBytesMax,
      recordBytesMax: this.#recordBytesMax,
      add: (key, value) => this.add(partition, key, value, unknownHash),
      added: (records) => {
        this.records += records;
        if (this.#waiting.bytes >= this.#waitingBytesMax) this.#flush();
      },
    });
  }

  /** What waits keeps nothing else alive from now on: strings may be slices of large texts. */
  spill(): void {
    this.#waiting.detach();
  }

  finish(): WrittenResults {
    this.#flush();
    this.#waiting.release();
    const files = this.#written();
    if (this.#options.sync === true) for (const file of files) syncPath(file.path);
    if (this.#options.sync === true && files.length > 0) syncPath(path.dirname((files[0] as ResultFile).path));
    return {
      files: files.map(({ label, file, bytes, records }) => ({ label, file, bytes, records })),
      digest: digestOf(files),
    };
  }

  /** The attempt failed: deletes what it wrote. */
  abort(): void {
    this.#waiting.release();
    for (const file of this.#written()) fs.rmSync(file.path, { force: true });
    this.#files.fill(undefined);
  }

  #badPartition(partition: number): DiscoError {
    return new DiscoError(`partition ${partition} is out of range: there are ${this.#labelCount}, from 0`, {
      code: "bad-partition",
    });
  }

  #written(): ResultFile[] {
    return this.#files.filter((file) => file !== undefined) as ResultFile[];
  }

  /** Files are opened for each flush, one at a time: partitions may be more than a process can hold open. */
  #flush(): void {
    let open: ResultFile | null = null;
    try {
      writeRecords(
        this.#waiting,
        { labelCount: this.#labelCount, order: "as-added", codec: this.#options.codec ?? "none" },
        (label) => {
          const file = this.#file(label);
          open = file;
          const fd = file.open();
          return { digest: file.digest, sink: (block) => append(fd, block) };
        },
        (label, { length, records }) => {
          const file = this.#file(label);
          file.bytes += length;
          file.records += records;
          file.close();
        },
      );
    } catch (error) {
      const failed = open as ResultFile | null;
      failed?.close();
      throw failed === null ? error : diskError(error, failed.path);
    }
  }

  #file(label: number): ResultFile {
    let file = this.#files[label];
    if (file === undefined) {
      const { dataDir, jobDir, name, partitions } = this.#options;
      const own = partitions === null ? this.#options.label : label;
      const relative = `${jobDir}/${name}.${own}.disco`;
      file = new ResultFile(own, relative, path.join(dataDir, relative));
      this.#files[label] = file;
    }
    return file;
  }
}

class ResultFile {
  readonly label: Label;
  readonly file: string;
  readonly path: string;
  readonly digest = new BlockDigest();
  bytes = 0;
  records = 0;
  #fd: number | null = null;

  constructor(label: Label, file: string, absolute: string) {
    this.label = label;
    this.file = file;
    this.path = absolute;
  }

  open(): number {
    if (this.bytes === 0) fs.mkdirSync(path.dirname(this.path), { recursive: true });
    this.#fd = fs.openSync(this.path, this.bytes === 0 ? "w" : "a");
    return this.#fd;
  }

  close(): void {
    if (this.#fd !== null) fs.closeSync(this.#fd);
    this.#fd = null;
  }
}

function append(fd: number, block: Buffer): number {
  writeAll(fd, block, null);
  return 0;
}

function syncPath(target: string): void {
  const fd = fs.openSync(target, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
