/**
 * A block: some thousand records, (key, value) each, that are encoded, checked, moved and decoded together. Everything that
 * Disco writes by itself (map outputs, sorted runs, results) is blocks one after the other.
 *
 *   magic "DBk2" | codec u8 | flags u8 | 0 u16 | records u32 | raw length u32 | stored length u32 | payload crc32 u32
 *   | crc32 of the 24 bytes before u32 | payload (stored length bytes): `block-kinds.ts` has the layout
 *
 * All little-endian. Two CRCs, so that a length is known to be right before it is believed. The same records give the same
 * bytes (with codec `none`). A record that is not a (key, value) pair has no place here.
 */
import zlib from "node:zlib";
import { DataError } from "../errors.ts";
import { BlockContents } from "./block-contents.ts";
import type { Selection } from "./block-move.ts";
import { PayloadWriter } from "./block-payload.ts";
import { RecordColumns } from "./block-records.ts";
import { unknownHash } from "./hash.ts";
import type { StringPool } from "./string-pool.ts";
import type { TextRecords } from "./text-records.ts";

export const blockHeaderBytes = 28;
/** No writer makes larger blocks; a header that says so is damaged, whatever its CRC. */
export const blockBytesMax = 1100 * 1024 * 1024;

/** A block of more records is refused: constant columns could announce billions of them in a few bytes. */
export const blockRecordsMax = 1_048_576;

const magic = 0x326b4244;
/** Without the version. */
const magicMask = 0xffffff;
const codecNone = 0;
const codecZstd = 1;
const flagSorted = 1;

/** `auto`: zstd where a sample shrinks to half or less; for results that are kept. */
export type BlockCodec = "none" | "zstd" | "auto";

export interface BlockHeader {
  readonly codec: number;
  /** Keys ascend, by `compareValues`. */
  readonly sorted: boolean;
  readonly records: number;
  readonly rawLength: number;
  readonly storedLength: number;
  readonly crc: number;
}

export interface EncodeOptions {
  /** Default `none`. */
  readonly codec?: BlockCodec;
  readonly sorted?: boolean;
}

/**
 * Selected records as a block: valid until the records change or are written again.
 * @throws DiscoError `bad-value` for what can not be encoded.
 */
export function encodeRecords(records: RecordColumns, selection: Selection, options: EncodeOptions = {}): Buffer {
  const raw = new PayloadWriter(records, selection, blockHeaderBytes).write();
  const rawLength = raw.length - blockHeaderBytes;
  const packed = compress(raw.subarray(blockHeaderBytes), options.codec ?? "none");
  const block = packed === null ? raw : Buffer.concat([raw.subarray(0, blockHeaderBytes), packed]);
  block.writeUInt32LE(magic, 0);
  block[4] = packed === null ? codecNone : codecZstd;
  block[5] = options.sorted === true ? flagSorted : 0;
  block.writeUInt16LE(0, 6);
  block.writeUInt32LE(selection.to - selection.from, 8);
  block.writeUInt32LE(rawLength, 12);
  block.writeUInt32LE(block.length - blockHeaderBytes, 16);
  block.writeUInt32LE(zlib.crc32(block.subarray(blockHeaderBytes)), 20);
  block.writeUInt32LE(zlib.crc32(block.subarray(0, 24)), 24);
  return block;
}

/** Two parallel arrays as one block in memory of its own. */
export function encodeBlock(
  keys: readonly unknown[],
  values: readonly unknown[],
  from = 0,
  to = keys.length,
  options: EncodeOptions = {},
): Uint8Array {
  const records = new RecordColumns();
  for (let i = from; i < to; i++) {
    if (records.add(0, keys[i], values[i], unknownHash)) continue;
    // What does not go together goes without dictionaries, and then into arrays.
    records.makePlain();
    records.clear();
    i = from - 1;
  }
  const order = Uint32Array.from({ length: to - from }, (_, i) => i);
  return new Uint8Array(
    encodeRecords(records, { order, starts: records.textStarts(), from: 0, to: order.length }, options),
  );
}

/** CRC-32 of a block's payload, from its header. */
export function blockCrc(block: Buffer): number {
  return block.readUInt32LE(20);
}

/** Reads and checks a header. @throws DataError `bad-block`. */
export function readBlockHeader(bytes: Uint8Array, offset = 0): BlockHeader {
  if (bytes.length - offset < blockHeaderBytes) {
    throw badBlock(`header ends early: ${bytes.length - offset} of ${blockHeaderBytes} bytes`, offset);
  }
  const header = Buffer.from(bytes.buffer, bytes.byteOffset + offset, blockHeaderBytes);
  const word = header.readUInt32LE(0);
  if (word !== magic && (word & magicMask) === (magic & magicMask)) {
    throw badBlock("made by another version of this program", offset);
  }
  if (word !== magic) throw badBlock("not a block of records", offset);
  if (header.readUInt32LE(24) !== zlib.crc32(header.subarray(0, 24))) throw badBlock("damaged header", offset);
  const codec = header[4] as number;
  const rawLength = header.readUInt32LE(12);
  const storedLength = header.readUInt32LE(16);
  if (codec > codecZstd) throw badBlock(`unknown codec ${codec}, made by a newer version`, offset);
  if (header.readUInt32LE(8) > blockRecordsMax) throw badBlock("impossible number of records", offset);
  if (rawLength > blockBytesMax || storedLength > blockBytesMax) throw badBlock("impossible length", offset);
  const sorted = ((header[5] as number) & flagSorted) !== 0;
  return { codec, sorted, records: header.readUInt32LE(8), rawLength, storedLength, crc: header.readUInt32LE(20) };
}

/** A block's records as two arrays, each decoded when it is first asked for. */
export class DecodedBlock {
  readonly records: number;
  readonly sorted: boolean;
  /** Bytes of the whole block, header and all. */
  readonly length: number;
  readonly #contents: BlockContents;

  constructor(header: BlockHeader, payload: Buffer, strings?: StringPool) {
    this.records = header.records;
    this.sorted = header.sorted;
    this.length = blockHeaderBytes + header.storedLength;
    this.#contents = new BlockContents(payload, header.records, strings);
  }

  get keys(): unknown[] {
    return this.#contents.keys();
  }

  get values(): unknown[] {
    return this.#contents.values();
  }

  /** The same records as bytes under the block, where all are narrow strings; else `null`. */
  texts(): TextRecords | null {
    return this.#contents.texts();
  }
}

/**
 * Checks and opens the block at `offset`; `strings` makes equal strings of dictionaries the same objects. Decode `keys` and `values` before the bytes under it are reused.
 * @throws DataError `bad-block` with the offset; the caller knows the file.
 */
export function decodeBlock(bytes: Uint8Array, offset = 0, strings?: StringPool): DecodedBlock {
  const header = readBlockHeader(bytes, offset);
  const start = offset + blockHeaderBytes;
  const stored = Buffer.from(
    bytes.buffer,
    bytes.byteOffset + start,
    Math.min(header.storedLength, bytes.length - start),
  );
  if (stored.length < header.storedLength) {
    throw badBlock(`ends early: ${stored.length} of ${header.storedLength} bytes`, offset);
  }
  if (zlib.crc32(stored) !== header.crc) throw badBlock("damaged contents (checksum differs)", offset);
  return new DecodedBlock(
    header,
    header.codec === codecNone ? sized(stored, header, offset) : inflate(stored, header, offset),
    strings,
  );
}

function sized(payload: Buffer, header: BlockHeader, offset: number): Buffer {
  if (payload.length !== header.rawLength) throw badBlock("lengths disagree", offset);
  return payload;
}

function inflate(stored: Buffer, header: BlockHeader, offset: number): Buffer {
  try {
    const options = { maxOutputLength: Math.max(header.rawLength, 1) };
    return sized(zlib.zstdDecompressSync(stored, options), header, offset);
  } catch (error) {
    throw badBlock("compressed contents do not open", offset, error);
  }
}

/** Sample that `auto` tries, in bytes; smaller payloads are not worth a try. */
const sampleBytes = 64 * 1024;
const zstdOptions = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } };

/** The payload compressed, or `null` where it does not pay. */
function compress(payload: Buffer, codec: BlockCodec): Buffer | null {
  if (codec === "none") return null;
  if (codec === "auto") {
    if (payload.length < sampleBytes) return null;
    const from = (payload.length - sampleBytes) >>> 1;
    const sample = payload.subarray(from, from + sampleBytes);
    if (zlib.zstdCompressSync(sample, zstdOptions).length * 2 > sampleBytes) return null;
  }
  const packed = zlib.zstdCompressSync(payload, zstdOptions);
  return packed.length < payload.length ? packed : null;
}

function badBlock(what: string, offset: number, cause?: unknown): DataError {
  const message = `bad block at byte ${offset}: ${what}`;
  return new DataError(message, cause === undefined ? { code: "bad-block" } : { code: "bad-block", cause });
}
