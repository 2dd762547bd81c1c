/**
 * `sort: true` over records that are no runs of ours: reduce-only jobs, streams in a user's own format. Records are buffered
 * up to the budget, then sorted and written to a scratch file as a run; at the end the runs are merged.
 *
 * Those that wait as strings or objects may keep much larger texts alive: they are copied where a budget of text has been read.
 */
import { RecordColumns } from "../../protocol/block-records.ts";
import { unknownHash } from "../../protocol/hash.ts";
import type { BatchSource } from "./batch.ts";
import { Records } from "./batch.ts";
import { writeRecords } from "./block-writer.ts";
import { MergedRecords, type MergeOptions } from "./merged-records.ts";
import { asPair } from "./pair.ts";
import { recordTooLarge } from "./record-limit.ts";
import { OpenFiles, type Run } from "./run.ts";
import { SegmentFile } from "./segment-file.ts";
import { SortedColumns } from "./sorted-columns.ts";
import { sortedIndexBytes } from "./task-writer.ts";

export interface SortOptions extends MergeOptions {
  /** Bytes of text read so far. Default: the records hold no texts but their own. */
  readonly textBytes?: () => number;
  /** A larger record is refused. Default: any is taken. */
  readonly recordBytesMax?: number;
}

export class RecordSorter {
  readonly #options: SortOptions;
  #textDetached = 0;
  readonly #waiting: RecordColumns;
  readonly #runs: Run[] = [];
  readonly #files = new OpenFiles();
  #scratch: SegmentFile | null = null;

  constructor(options: SortOptions) {
    this.#options = options;
    this.#waiting = new RecordColumns(sortedIndexBytes, options.budgetBytes);
  }

  /** @throws DiscoError `bad-value`, `record-too-large`, `disk-full`. */
  add(key: unknown, value: unknown): void {
    const waiting = this.#waiting;
    if (!waiting.add(0, key, value, unknownHash)) {
      this.#spill();
      waiting.add(0, key, value, unknownHash);
    }
    const { budgetBytes, textBytes, recordBytesMax } = this.#options;
    if (recordBytesMax !== undefined && waiting.lastBytes > recordBytesMax) {
      throw recordTooLarge(key, waiting.lastBytes, recordBytesMax);
    }
    if (waiting.bytes >= budgetBytes) this.#spill();
    else if (textBytes !== undefined && textBytes() - this.#textDetached >= budgetBytes) {
      this.#textDetached = textBytes();
      waiting.detach();
    }
  }

  /** All records added, ascending; equal keys in the order they were added. */
  finish<K = unknown, V = unknown>(): Records<K, V> {
    if (this.#runs.length === 0) return new Records<K, V>(new SortedColumns(this.#waiting));
    this.#spill();
    this.#waiting.release();
    return new Records<K, V>(new Closing(new MergedRecords(this.#runs, this.#options), () => this.close()));
  }

  /** Gives back the scratch file of a sort that is given up. */
  close(): void {
    this.#waiting.release();
    this.#files.close();
    this.#scratch?.remove();
    this.#scratch = null;
  }

  #spill(): void {
    if (this.#waiting.count === 0) return;
    if (this.#scratch === null) {
      this.#scratch = SegmentFile.createScratch(this.#options.scratchDir);
      this.#files.lend(this.#scratch.path, this.#scratch.fd);
    }
    const scratch = this.#scratch;
    writeRecords(
      this.#waiting,
      { labelCount: 1, order: "by-key", codec: "none" },
      () => ({ sink: (block) => scratch.append(block), digest: null }),
      (_, written) =>
        this.#runs.push({ file: scratch.path, files: this.#files, ...written, sorted: true, origin: null }),
    );
    scratch.flush();
  }
}

/** Pairs in ascending order of their keys, stable, in bounded memory. */
export function sortRecords<K, V>(pairs: Iterable<readonly [K, V]>, options: SortOptions): Records<K, V> {
  const sorter = new RecordSorter(options);
  try {
    for (const entry of pairs) {
      const [key, value] = asPair(entry);
      sorter.add(key, value);
    }
    return sorter.finish<K, V>();
  } catch (error) {
    sorter.close();
    throw error;
  }
}

/** The same over an asynchronous source. */
export async function sortRecordsAsync<K, V>(
  pairs: AsyncIterable<readonly [K, V]>,
  options: SortOptions,
): Promise<Records<K, V>> {
  const sorter = new RecordSorter(options);
  try {
    for await (const entry of pairs) {
      const [key, value] = asPair(entry);
      sorter.add(key, value);
    }
    return sorter.finish<K, V>();
  } catch (error) {
    sorter.close();
    throw error;
  }
}

/** A source that calls back once it has ended. */
class Closing implements BatchSource {
  readonly #source: BatchSource;
  readonly #onClose: () => void;

  constructor(source: BatchSource, onClose: () => void) {
    this.#source = source;
    this.#onClose = onClose;
  }

  nextBatch(): ReturnType<BatchSource["nextBatch"]> {
    const batch = this.#source.nextBatch();
    if (batch === null) this.close();
    return batch;
  }

  close(): void {
    this.#source.close();
    this.#onClose();
  }
}
