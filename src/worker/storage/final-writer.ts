/**
 * Writes the results of one attempt of the last stage: a file of blocks for each label that got records. The names contain
 * task and attempt, so nothing is renamed and two attempts never meet.
 */
import fs from "node:fs";
import path from "node:path";
import type { Label, LabelSize } from "../../core/job/spec.ts";
import { DiscoError } from "../../errors.ts";
import type { BlockCodec } from "../../protocol/block.ts";
import { BlockDigest, unsortedBlockBytes, writeUnsorted } from "./block-writer.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { recordTooLarge } from "./record-limit.ts";
import { diskError, writeAll } from "./segment-file.ts";
import { digestOf } from "./task-writer.ts";

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
  readonly #files = new Map<Label, ResultFile>();
  #bytes = 0;

  constructor(options: FinalWriterOptions) {
    this.#options = options;
    this.#recordBytesMax = options.recordBytesMax ?? Number.POSITIVE_INFINITY;
  }

  /** Adds a record. @throws DiscoError `bad-value`, `record-too-large`, `bad-partition`, `disk-full`. */
  add(partition: number, key: unknown, value: unknown, _hash: number): void {
    const label = this.#options.partitions === null ? this.#options.label : partition;
    const file = this.#files.get(label) ?? this.#open(label);
    const bytes = file.buffer.add(key, value);
    if (bytes > this.#recordBytesMax) throw recordTooLarge(key, bytes, this.#recordBytesMax);
    this.#bytes += bytes;
    this.records++;
    if (file.buffer.bytes >= unsortedBlockBytes) this.#bytes -= this.#flush(file);
    else if (this.#bytes >= this.#options.budgetBytes) this.#flushAll();
  }

  /** Writes what waits in buffers: strings among it may be slices that keep large texts alive. */
  spill(): void {
    this.#flushAll();
  }

  finish(): WrittenResults {
    this.#flushAll();
    const files = [...this.#files.values()].sort((a, b) => a.label - b.label);
    if (this.#options.sync === true) for (const file of files) syncPath(file.path);
    if (this.#options.sync === true && files.length > 0) syncPath(path.dirname((files[0] as ResultFile).path));
    return {
      files: files.map(({ label, file, bytes, records }) => ({ label, file, bytes, records })),
      digest: digestOf(files),
    };
  }

  /** The attempt failed: deletes what it wrote. */
  abort(): void {
    for (const file of this.#files.values()) fs.rmSync(file.path, { force: true });
    this.#files.clear();
  }

  #open(label: Label): ResultFile {
    const { dataDir, jobDir, name, partitions } = this.#options;
    if (partitions !== null && (!Number.isInteger(label) || label < 0 || label >= partitions)) {
      throw new DiscoError(`partition ${label} is out of range: there are ${partitions}, from 0`, {
        code: "bad-partition",
      });
    }
    const relative = `${jobDir}/${name}.${label}.disco`;
    const file = new ResultFile(label, relative, path.join(dataDir, relative));
    this.#files.set(label, file);
    return file;
  }

  #flushAll(): void {
    for (const file of this.#files.values()) this.#flush(file);
    this.#bytes = 0;
  }

  /** Files are opened for each flush: partitions may be more than a process can hold open. */
  #flush(file: ResultFile): number {
    const { bytes, keys } = file.buffer;
    if (keys.length === 0) return 0;
    try {
      if (file.bytes === 0) fs.mkdirSync(path.dirname(file.path), { recursive: true });
      const fd = fs.openSync(file.path, file.bytes === 0 ? "w" : "a");
      try {
        const written = writeUnsorted(
          file.buffer,
          (block) => append(fd, block),
          file.digest,
          this.#options.codec ?? "none",
        );
        file.bytes += written.length;
        file.records += written.records;
      } finally {
        fs.closeSync(fd);
      }
    } catch (error) {
      throw diskError(error, file.path);
    }
    return bytes;
  }
}

class ResultFile {
  readonly label: Label;
  readonly file: string;
  readonly path: string;
  readonly buffer = new RecordBuffer();
  readonly digest = new BlockDigest();
  bytes = 0;
  records = 0;

  constructor(label: Label, file: string, absolute: string) {
    this.label = label;
    this.file = file;
    this.path = absolute;
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
