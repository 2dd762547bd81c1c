/**
 * Buffered records to blocks, in the order they came or sorted by key, label by label. The caller says where blocks go.
 *
 * A reader holds one decoded block; a merge holds one of each run: blocks of a sorted run are small.
 */
import { DiscoError } from "../../errors.ts";
import { type BlockCodec, blockCrc, blockHeaderBytes, encodeRecords } from "../../protocol/block.ts";
import type { Column } from "../../protocol/block-column.ts";
import type { RecordColumns } from "../../protocol/block-records.ts";
import { recordOverheadBytes } from "../../protocol/value-snapshot.ts";
import { valueBytesMax } from "../../protocol/value-tags.ts";
import { roughBytes } from "../rough-size.ts";
import { sortByKey } from "./column-order.ts";
import { type LabelRange, orderByLabel } from "./label-order.ts";

/** Estimated bytes of memory of the records of one block of a sorted run, once a reader has decoded them. */
const sortedBlockBytes = 256 * 1024;
/** The same of a block that is not sorted. */
export const unsortedBlockBytes = 1024 * 1024;
/** Of a decoded record, besides its text: heads of strings or boxes, and two slots in arrays. */
const decodedRecordBytes = recordOverheadBytes + 8;

/** Where a block goes; returns its offset. */
export type BlockSink = (block: Buffer) => number;

/** Where one label's blocks go. */
export interface BlockTarget {
  readonly sink: BlockSink;
  readonly digest: BlockDigest | null;
}

/** What has been written for one label. */
export interface Written {
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  readonly records: number;
}

export interface WriteOptions {
  /** Labels are below this. */
  readonly labelCount: number;
  /** What a label's blocks hold: records as they came, a run that is sorted now, or one that was added in ascending order. */
  readonly order: "as-added" | "by-key" | "ascending";
  readonly codec: BlockCodec;
}

/** Identity of blocks: record count, raw length and CRC of each, chained. Does not depend on where they lie. */
export class BlockDigest {
  readonly #words: number[] = [];

  add(block: Buffer): void {
    this.#words.push(block.readUInt32LE(8), block.readUInt32LE(12), blockCrc(block));
  }

  bytes(): Uint8Array {
    return new Uint8Array(Uint32Array.from(this.#words).buffer);
  }
}

/** Writes all records, label by label in ascending order, and clears them. `done` is told what was written for each label. */
export function writeRecords(
  records: RecordColumns,
  { labelCount, order: kind, codec }: WriteOptions,
  open: (label: number) => BlockTarget,
  done: (label: number, written: Written) => void,
): void {
  const starts = records.textStarts();
  const sorted = kind !== "as-added";
  const { order, ranges } = orderByLabel(records.labels, records.count, labelCount);
  for (const range of ranges) {
    if (kind === "by-key") sortByKey(records.keys, records.text.bytes, starts, order, range.from, range.to);
    const limit = sorted ? sortedBlockBytes : unsortedBlockBytes;
    const target = open(range.label);
    let offset = -1;
    let length = 0;
    for (let from = range.from; from < range.to; ) {
      const to = blockEnd(records, order, starts, { ...range, from }, limit);
      const block = checked(encodeRecords(records, { order, starts, from, to }, { sorted, codec }));
      target.digest?.add(block);
      const at = target.sink(block);
      if (offset < 0) offset = at;
      length += block.length;
      from = to;
    }
    done(range.label, { offset, length, records: range.to - range.from });
  }
  records.clear();
}

/** Where a block ends that begins at `from`: at least a record further. */
function blockEnd(
  { keys, values }: RecordColumns,
  order: Uint32Array,
  starts: Uint32Array,
  { from, to }: LabelRange,
  limit: number,
): number {
  const hasItems = keys.kind === "values" || values.kind === "values";
  let bytes = 0;
  for (let r = from; r < to; ) {
    const i = order[r++] as number;
    bytes += decodedRecordBytes + (starts[i + 1] as number) - (starts[i] as number);
    if (hasItems) bytes += itemBytes(keys, i) + itemBytes(values, i);
    if (bytes >= limit) return r;
  }
  return to;
}

/** Each item by itself: neighbours in a run may all be large, as the lists of one frequent key are. */
function itemBytes(column: Column, i: number): number {
  if (column.kind !== "values") return 0;
  const item = column.items[i];
  if (typeof item === "string") return item.length;
  return typeof item === "number" ? 0 : roughBytes(item);
}

/** A block is never so large but by one huge record: single values are limited by the codec already. */
function checked(block: Buffer): Buffer {
  if (block.length - blockHeaderBytes <= valueBytesMax) return block;
  throw new DiscoError(`a record is larger than ${valueBytesMax / 1024 / 1024} MiB once encoded`, {
    code: "bad-value",
    hint: "Split it into several records.",
  });
}
