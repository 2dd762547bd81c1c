/**
 * Writes the output of one attempt: records of many labels, into the worker's segment file, with a directory behind them.
 *
 * The records of all labels wait together, as columns, until there is 1 MiB for each label, or the budget is used up; sorted,
 * always until the budget is used up. Then they are written label by label, as blocks or as a sorted run. A combiner, if any,
 * sits in front.
 *
 *   TW1  The bytes of a label's blocks depend on the records added, their order and the options; on nothing else.
 *   TW2  The digest covers exactly these bytes, and not their place in the file.
 *   TW3  Nothing of a failed attempt is referred to: `abort` takes it off the end of the file, and a dead process leaves
 *        garbage in a file that goes with the job.
 */
import { createHash } from "node:crypto";
import type { Label, LabelSize } from "../../core/job/spec.ts";
import { DiscoError } from "../../errors.ts";
import { RecordColumns } from "../../protocol/block-records.ts";
import { unknownHash } from "../../protocol/hash.ts";
import { type Extent, encodeDirectory } from "../../protocol/output-directory.ts";
import { addBatch } from "./add-batch.ts";
import type { Batch } from "./batch.ts";
import { BlockDigest, unsortedBlockBytes, type Written, writeRecords } from "./block-writer.ts";
import { recordTooLarge } from "./record-limit.ts";
import type { SegmentFile } from "./segment-file.ts";

/** Bytes a record that it takes to write records by label: their order and where their text begins. */
export const indexBytes = 8;
/** The same to sort them: two words of a prefix and two orders more. */
export const sortedIndexBytes = 24;

export interface TaskWriterOptions {
  readonly segment: SegmentFile;
  /** Partition numbers are 0 … partitions - 1 and become labels. `null`: everything has the label `label`. */
  readonly partitions: number | null;
  /** The task's own label. */
  readonly label: Label;
  /** Write sorted runs, for a stage whose input is sorted. */
  readonly sorted: boolean;
  /** Estimated bytes of memory that records waiting in buffers may take. */
  readonly budgetBytes: number;
  /** A larger record is refused. Default: any is taken. */
  readonly recordBytesMax?: number;
}

export interface WrittenOutput {
  /** Where the directory lies in the segment file. */
  readonly at: number;
  readonly length: number;
  readonly digest: string;
  /** Ascending; only labels that got records. */
  readonly labels: readonly LabelSize[];
}

export class TaskWriter {
  /** Records added so far. */
  records = 0;
  readonly #options: TaskWriterOptions;
  readonly #recordBytesMax: number;
  readonly #start: number;
  readonly #labelCount: number;
  readonly #outputs: (LabelOutput | undefined)[];
  readonly #waiting: RecordColumns;
  readonly #waitingBytesMax: number;

  constructor(options: TaskWriterOptions) {
    const { segment, partitions, sorted, budgetBytes } = options;
    this.#options = options;
    this.#start = segment.length;
    this.#recordBytesMax = options.recordBytesMax ?? Number.POSITIVE_INFINITY;
    this.#labelCount = partitions ?? 1;
    this.#outputs = new Array<LabelOutput | undefined>(this.#labelCount).fill(undefined);
    this.#waitingBytesMax = sorted ? budgetBytes : Math.min(budgetBytes, unsortedBlockBytes * this.#labelCount);
    this.#waiting = new RecordColumns(sorted ? sortedIndexBytes : indexBytes, this.#waitingBytesMax);
  }

  /**
   * Adds a record; `partition` is ignored where there are none. Objects are copied. `hash` is as for `PairWriter`.
   * @throws DiscoError `bad-value`, `record-too-large`, `bad-partition`, `disk-full`.
   */
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

  /** Writes what is left, and the directory. */
  finish(): WrittenOutput {
    this.#flush();
    this.#waiting.release();
    const { segment } = this.#options;
    const written = this.#outputs.filter((output) => output !== undefined) as LabelOutput[];
    const directory = encodeDirectory(written);
    const at = segment.append(directory);
    segment.flush();
    return { at, length: directory.length, digest: digestOf(written), labels: written.map((output) => output.size()) };
  }

  /** The attempt failed: gives up all that it wrote. */
  abort(): void {
    this.#waiting.release();
    this.#options.segment.truncate(this.#start);
  }

  #flush(): void {
    const { sorted, segment } = this.#options;
    writeRecords(
      this.#waiting,
      { labelCount: this.#labelCount, order: sorted ? "by-key" : "as-added", codec: "none" },
      (label) => ({ sink: (block) => segment.append(block), digest: this.#output(label).digest }),
      (label, written) => this.#output(label).wrote(written, sorted),
    );
  }

  #output(label: number): LabelOutput {
    let output = this.#outputs[label];
    if (output === undefined) {
      output = new LabelOutput(this.#options.partitions === null ? this.#options.label : label);
      this.#outputs[label] = output;
    }
    return output;
  }

  #badPartition(partition: number): DiscoError {
    return new DiscoError(`partition ${partition} is out of range: there are ${this.#labelCount}, from 0`, {
      code: "bad-partition",
    });
  }
}

/** What one attempt wrote for one label. */
class LabelOutput {
  readonly label: Label;
  readonly digest = new BlockDigest();
  readonly extents: Extent[] = [];
  records = 0;

  constructor(label: Label) {
    this.label = label;
  }

  wrote({ offset, length, records }: Written, sorted: boolean): void {
    this.records += records;
    const last = this.extents.at(-1);
    if (last !== undefined && !sorted && last.offset + last.length === offset) {
      const joined = { offset: last.offset, length: last.length + length, records: last.records + records, sorted };
      this.extents[this.extents.length - 1] = joined;
    } else {
      this.extents.push({ offset, length, records, sorted });
    }
  }

  size(): LabelSize {
    const bytes = this.extents.reduce((sum, extent) => sum + extent.length, 0);
    return { label: this.label, bytes, records: this.records };
  }
}

/** Hash over labels and their blocks. */
export function digestOf(outputs: readonly { readonly label: Label; readonly digest: BlockDigest }[]): string {
  const hash = createHash("sha256");
  for (const { label, digest } of outputs) {
    const bytes = digest.bytes();
    hash.update(Uint32Array.of(label, bytes.length));
    hash.update(bytes);
  }
  return hash.digest("hex");
}
