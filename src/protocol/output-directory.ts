/**
 * The directory of one attempt's output: for each label, where in the segment file its blocks lie. It is written behind the
 * blocks; an `OutputRef` says where. A task of the next stage reads the directories of all tasks and picks its label, so
 * this is read (tasks x labels) times: small, flat, and checked by a CRC.
 *
 *   magic "DDr1" | labels u32 | for each label, ascending: label u32 | extents u32
 *     | for each extent: offset f64 | length f64 | records u32 | flags u32 | … | crc32 of all before u32
 */
import zlib from "node:zlib";
import type { Label } from "../core/job/spec.ts";
import { DataError } from "../errors.ts";

/** Consecutive blocks of one label. If sorted, one run: its keys ascend from the first block to the last. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
  readonly records: number;
  readonly sorted: boolean;
}

export interface LabelExtents {
  readonly label: Label;
  readonly extents: readonly Extent[];
}

const magic = 0x31724444;
const extentBytes = 24;

/** Labels must ascend. */
export function encodeDirectory(labels: readonly LabelExtents[]): Buffer {
  let length = 12;
  for (const { extents } of labels) length += 8 + extents.length * extentBytes;
  const bytes = Buffer.allocUnsafe(length);
  bytes.writeUInt32LE(magic, 0);
  let at = bytes.writeUInt32LE(labels.length, 4);
  for (const { label, extents } of labels) {
    at = bytes.writeUInt32LE(label, at);
    at = bytes.writeUInt32LE(extents.length, at);
    for (const extent of extents) {
      at = bytes.writeDoubleLE(extent.offset, at);
      at = bytes.writeDoubleLE(extent.length, at);
      at = bytes.writeUInt32LE(extent.records, at);
      at = bytes.writeUInt32LE(extent.sorted ? 1 : 0, at);
    }
  }
  bytes.writeUInt32LE(zlib.crc32(bytes.subarray(0, at)), at);
  return bytes;
}

/** Extents of one label, or of all. @throws DataError `bad-block` when it is damaged. */
export function decodeDirectory(bytes: Buffer, only?: Label): LabelExtents[] {
  if (bytes.length < 12 || bytes.readUInt32LE(0) !== magic) throw damaged("not a directory");
  const end = bytes.length - 4;
  if (bytes.readUInt32LE(end) !== zlib.crc32(bytes.subarray(0, end))) throw damaged("checksum differs");
  const labels: LabelExtents[] = [];
  let at = 8;
  for (let i = bytes.readUInt32LE(4); i > 0; i--) {
    if (at + 8 > end) throw damaged("ends early");
    const label = bytes.readUInt32LE(at);
    const count = bytes.readUInt32LE(at + 4);
    at += 8;
    if (count > (end - at) / extentBytes) throw damaged("ends early");
    if (only === undefined || only === label) labels.push({ label, extents: readExtents(bytes, at, count) });
    at += count * extentBytes;
  }
  if (at !== end) throw damaged("bytes after its end");
  return labels;
}

function readExtents(bytes: Buffer, start: number, count: number): Extent[] {
  const extents: Extent[] = [];
  for (let at = start; at < start + count * extentBytes; at += extentBytes) {
    extents.push({
      offset: bytes.readDoubleLE(at),
      length: bytes.readDoubleLE(at + 8),
      records: bytes.readUInt32LE(at + 16),
      sorted: bytes.readUInt32LE(at + 20) === 1,
    });
  }
  return extents;
}

function damaged(what: string): DataError {
  return new DataError(`bad directory of an output: ${what}`, { code: "bad-block" });
}
