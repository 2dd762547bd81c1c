/**
 * Outputs of an earlier stage on their way from the node that has them to one that reads them: a stream of frames, one an
 * output in the order in which they were asked for, and a last one. The receiver knows of each output whether it has all of it,
 * and goes on behind it when the connection breaks.
 *
 *   magic "DOf1" u32 | kind u8 | 0 u8 | 0 u16 | index u32 | head bytes u32 | data bytes f64 | crc32 of the 24 bytes before u32
 *     | head | data | crc32 of head and data u32
 *
 *   kind 0: an output. The head is its directory (`output-directory.ts`), with offsets into the data: the blocks as they lie on
 *           the disk, whose own checksums are looked at when they are read.
 *   kind 1: this one cannot be had from here: the head says why, in UTF-8. No data.
 *   kind 2: the end; the index is the number of frames before it. A stream without it was cut off.
 */
import zlib from "node:zlib";
import { DataError } from "../errors.ts";

export const frameHeaderBytes = 28;
export const outputFramesType = "application/x-disco-outputs";
/** Of one request, on both sides. */
export const outputsPerRequestMax = 50_000;
export const filesPerRequestMax = 50_000;
/** A directory of a million extents has 24 MB. */
export const frameHeadBytesMax = 256 * 1024 * 1024;

const magic = 0x31664f44;
const kinds = ["output", "gone", "end"] as const;

export interface FrameHeader {
  readonly kind: (typeof kinds)[number];
  readonly index: number;
  readonly headBytes: number;
  readonly dataBytes: number;
}

/** What is asked for: rows of (place of the file in `files`, offset and length of the output's directory in it). */
export interface OutputsRequest {
  /** Only this label; absent: all. */
  readonly label?: number;
  /** Paths relative to the node's data directory. */
  readonly files: readonly string[];
  readonly outputs: readonly (readonly [file: number, at: number, length: number])[];
}

/** The frame's header, its head behind it. */
export function encodeFrame(kind: FrameHeader["kind"], index: number, head: Uint8Array, dataBytes = 0): Buffer {
  const bytes = Buffer.allocUnsafeSlow(frameHeaderBytes + head.length);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(kinds.indexOf(kind), 4);
  bytes.writeUInt32LE(index, 8);
  bytes.writeUInt32LE(head.length, 12);
  bytes.writeDoubleLE(dataBytes, 16);
  bytes.writeUInt32LE(zlib.crc32(bytes.subarray(0, 24)), 24);
  bytes.set(head, frameHeaderBytes);
  return bytes;
}

/** @throws DataError `bad-frame` */
export function decodeFrameHeader(bytes: Buffer): FrameHeader {
  if (bytes.readUInt32LE(0) !== magic) throw badFrame("it does not begin as one");
  if (bytes.readUInt32LE(24) !== zlib.crc32(bytes.subarray(0, 24))) throw badFrame("its header is damaged");
  const kind = kinds[bytes.readUInt32LE(4)];
  const headBytes = bytes.readUInt32LE(12);
  const dataBytes = bytes.readDoubleLE(16);
  if (kind === undefined) throw badFrame("its kind is unknown: the node has another version of this program");
  if (!Number.isSafeInteger(dataBytes) || dataBytes < 0 || headBytes > frameHeadBytesMax) {
    throw badFrame("its length is impossible");
  }
  return { kind, index: bytes.readUInt32LE(8), headBytes, dataBytes };
}

export function badFrame(what: string): DataError {
  return new DataError(`bad frame of outputs: ${what}`, { code: "bad-frame", retry: "here" });
}
