/**
 * Writes the output of one attempt: records of many labels, into the worker's segment file, with a directory behind them.
 *
 * Unsorted, each label's records are written as blocks when about 1 MiB has come together. Sorted, all labels' records are
 * kept until the budget is used up; then each label's are sorted and written as one run. A combiner, if any, sits in front.
 *
 *   TW1  The bytes of a label's blocks depend on the records added, their order and the options; on nothing else.
 *   TW2  The digest covers exactly these bytes, and not their place in the file.
 *   TW3  Nothing of a failed attempt is referred to: `abort` takes it off the end of the file, and a dead process leaves
 *        garbage in a file that goes with the job.
 */
import { createHash } from "node:crypto";
import type { Label, LabelSize } from "../../core/job/spec.ts";
import { DiscoError } from "../../errors.ts";
import { BlockDigest, unsortedBlockBytes, type Written, writeSorted, writeUnsorted } from "./block-writer.ts";
import { type Extent, encodeDirectory } from "./directory.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { recordTooLarge } from "./record-limit.ts";
import type { SegmentFile } from "./segment-file.ts";

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
  readonly #partitioned: boolean;
  readonly #outputs: (LabelOutput | undefined)[];
  #bytes = 0;

  constructor(options: TaskWriterOptions) {
    this.#options = options;
    this.#recordBytesMax = options.recordBytesMax ?? Number.POSITIVE_INFINITY;
    this.#start = options.segment.length;
    this.#partitioned = options.partitions !== null;
    this.#outputs = new Array<LabelOutput | undefined>(options.partitions ?? 1).fill(undefined);
  }

  /**
   * Adds a record; `partition` is ignored where there are none. Objects are copied.
   * @throws DiscoError `bad-value`, `record-too-large`, `bad-partition`, `disk-full`.
   */
  add(partition: number, key: unknown, value: unknown, _hash: number): void {
    const output = this.#outputs[this.#partitioned ? partition : 0] ?? this.#open(partition);
    const bytes = output.buffer.add(key, value);
    if (bytes > this.#recordBytesMax) throw recordTooLarge(key, bytes, this.#recordBytesMax);
    this.#bytes += bytes;
    this.records++;
    if (this.#bytes >= this.#options.budgetBytes) this.#flushAll();
    else if (output.buffer.bytes >= unsortedBlockBytes && !this.#options.sorted) this.#flush(output);
  }

  /** Writes what waits in buffers: strings among it may be slices that keep large texts alive. */
  spill(): void {
    this.#flushAll();
  }

  /** Writes what is left, and the directory. */
  finish(): WrittenOutput {
    this.#flushAll();
    const { segment } = this.#options;
    const written = this.#outputs.filter((output) => output !== undefined && output.records > 0) as LabelOutput[];
    const directory = encodeDirectory(written);
    const at = segment.append(directory);
    segment.flush();
    return { at, length: directory.length, digest: digestOf(written), labels: written.map((output) => output.size()) };
  }

  /** The attempt failed: gives up all that it wrote. */
  abort(): void {
    for (const output of this.#outputs) output?.buffer.clear();
    this.#options.segment.truncate(this.#start);
  }

  #open(partition: number): LabelOutput {
    const { partitions, label } = this.#options;
    if (partitions === null) {
      const output = new LabelOutput(label);
      this.#outputs[0] = output;
      return output;
    }
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) {
      throw new DiscoError(`partition ${partition} is out of range: there are ${partitions}, from 0`, {
        code: "bad-partition",
      });
    }
    const output = new LabelOutput(partition);
    this.#outputs[partition] = output;
    return output;
  }

  #flushAll(): void {
    for (const output of this.#outputs) if (output !== undefined) this.#flush(output);
    this.#bytes = 0;
  }

  #flush(output: LabelOutput): void {
    if (output.buffer.keys.length === 0) return;
    const { sorted, segment } = this.#options;
    this.#bytes -= output.buffer.bytes;
    const sink = (block: Buffer) => segment.append(block);
    if (sorted) output.wrote(writeSorted(output.buffer, sink, output.digest), true);
    else output.wrote(writeUnsorted(output.buffer, sink, output.digest, "none"), false);
  }
}

/** What one attempt wrote for one label. */
class LabelOutput {
  readonly label: Label;
  readonly buffer = new RecordBuffer();
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
