/**
 * Buffered records to blocks, in the order they came or sorted. The caller says where blocks go.
 *
 * Blocks of a sorted run are small: a merge holds one decoded block of each run in memory.
 */

import { DiscoError } from "../../errors.ts";
import { type BlockCodec, BlockEncoder, blockCrc, blockHeaderBytes, blockRecordsMax } from "../../protocol/block.ts";
import { recordOverheadBytes } from "../../protocol/value-snapshot.ts";
import { valueBytesMax } from "../../protocol/value-tags.ts";
import { roughBytes } from "../rough-size.ts";
import type { RecordBuffer } from "./record-buffer.ts";
import { sortedOrder } from "./sort-order.ts";

/** Estimated bytes of memory (not of the file) of the records of one block of a sorted run. */
const sortedBlockBytes = 256 * 1024;
/** Estimated bytes of memory of the records of an unsorted block. */
export const unsortedBlockBytes = 1024 * 1024;

/** Where a block goes; returns its offset. */
export type BlockSink = (block: Buffer) => number;

/** What has been written for one label so far. */
export interface Written {
  readonly offset: number;
  readonly length: number;
  readonly records: number;
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

const encoder = new BlockEncoder();

/** Writes all records of the buffer as one block, and clears it. */
export function writeUnsorted(
  buffer: RecordBuffer,
  sink: BlockSink,
  digest: BlockDigest | null,
  codec: BlockCodec,
): Written {
  const { keys, values } = buffer;
  const records = keys.length;
  let offset = -1;
  let length = 0;
  for (let from = 0; from < records; from += blockRecordsMax) {
    const block = checked(encoder.encode(keys, values, from, Math.min(records, from + blockRecordsMax), { codec }));
    digest?.add(block);
    const at = sink(block);
    if (offset < 0) offset = at;
    length += block.length;
  }
  buffer.clear();
  return { offset, length, records };
}

/** Sorts the buffer, writes it as one run of several blocks, and clears it. */
export function writeSorted(buffer: RecordBuffer, sink: BlockSink, digest: BlockDigest | null): Written {
  const { keys, values } = buffer;
  const records = keys.length;
  const order = sortedOrder(keys);
  buffer.clear();
  const run = new RunWriter(sink, digest);
  for (let i = 0; i < records; i++) {
    const index = order[i] as number;
    run.add(keys[index], values[index]);
  }
  return run.finish();
}

/** Writes records that come in ascending order as one run. */
export class RunWriter {
  readonly #sink: BlockSink;
  readonly #digest: BlockDigest | null;
  #keys: unknown[] = [];
  #values: unknown[] = [];
  #bytes = 0;
  #offset = -1;
  #length = 0;
  #records = 0;

  constructor(sink: BlockSink, digest: BlockDigest | null) {
    this.#sink = sink;
    this.#digest = digest;
  }

  add(key: unknown, value: unknown): void {
    this.#keys.push(key);
    this.#values.push(value);
    this.#bytes += recordOverheadBytes + sizeOf(key) + sizeOf(value);
    if (this.#bytes >= sortedBlockBytes) this.#flush();
  }

  finish(): Written {
    if (this.#keys.length > 0) this.#flush();
    return { offset: this.#offset, length: this.#length, records: this.#records };
  }

  #flush(): void {
    const count = this.#keys.length;
    const block = checked(encoder.encode(this.#keys, this.#values, 0, count, { sorted: true }));
    this.#digest?.add(block);
    const at = this.#sink(block);
    if (this.#offset < 0) this.#offset = at;
    this.#length += block.length;
    this.#records += count;
    this.#keys = [];
    this.#values = [];
    this.#bytes = 0;
  }
}

/** Each record by itself: neighbours in a run may all be large, as the lists of one frequent key are. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  return typeof value === "number" ? 0 : roughBytes(value);
}

/** A block is never so large but by one huge record: single values are limited by the codec already. */
function checked(block: Buffer): Buffer {
  if (block.length - blockHeaderBytes <= valueBytesMax) return block;
  throw new DiscoError(`a record is larger than ${valueBytesMax / 1024 / 1024} MiB once encoded`, {
    code: "bad-value",
    hint: "Split it into several records.",
  });
}
