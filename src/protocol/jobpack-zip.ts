/**
 * The zip archive inside of a job pack, made and read as bytes in memory. (`zip-directory.ts` has what makes one safe to read;
 * the node reads its archives as files.)
 */
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import {
  badZip,
  centralSignature,
  dataOf,
  deflated,
  endBytes,
  endSignature,
  filesMax,
  findDirectory,
  inflatedBytesMax,
  localBytes,
  localSignature,
  Names,
  permissionMask,
  readDirectory,
  regularFile,
  stored,
  tailBytesMax,
  unixHost,
  type ZipEntry,
} from "./zip-directory.ts";

/** Smaller contents are not worth deflating. */
const deflateBytesMin = 128;
const utf8Flag = 0x0800;
/** 1 January 1980, the zip epoch: the same files give the same bytes. */
const fixedDate = 0x0021;

const plainMode = 0o644;

/** A file of a job home: its contents, or these with permissions (0o644 unless it says). */
export type HomeFile = Uint8Array | { readonly contents: Uint8Array; readonly mode?: number };

/**
 * Writes files by their paths, with `/` between folders, which need no entries of their own.
 * @throws JobError `bad-jobpack` for an archive that no node would unpack
 */
export function writeZip(files: ReadonlyMap<string, HomeFile>): Uint8Array {
  const locals: Uint8Array[] = [];
  const centrals: Uint8Array[] = [];
  let at = 0;
  let bytes = 0;
  const names = new Names();
  if (files.size > filesMax) throw badZip(`${files.size} files, the limit is ${filesMax}`);
  for (const [name, file] of files) {
    const { contents, mode = plainMode } = file instanceof Uint8Array ? { contents: file } : file;
    names.add(name, false);
    bytes += contents.length;
    if (bytes > inflatedBytesMax) throw badZip(`its files have more than ${inflatedBytesMax} bytes`);
    if (mode !== (mode & permissionMask)) throw badZip(`${JSON.stringify(name)} cannot have the mode ${mode}`);
    const small = contents.length < deflateBytesMin ? contents : deflateRawSync(contents, { level: 6 });
    const how = small.length < contents.length ? deflated : stored;
    const data = how === deflated ? small : contents;
    const encodedName = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0); // version needed
    fields.writeUInt16LE(utf8Flag, 2);
    fields.writeUInt16LE(how, 4);
    fields.writeUInt16LE(0, 6);
    fields.writeUInt16LE(fixedDate, 8);
    fields.writeUInt32LE(crc32(contents), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(contents.length, 18);
    fields.writeUInt16LE(encodedName.length, 22);
    locals.push(word(localSignature), fields, encodedName, data);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((regularFile | mode) * 0x1_0000, 6);
    rest.writeUInt32LE(at, 10);
    centrals.push(word(centralSignature), Buffer.from([20, unixHost]), fields, rest, encodedName);
    at += localBytes + encodedName.length + data.length;
  }
  const directory = Buffer.concat(centrals);
  const last = Buffer.alloc(endBytes);
  last.writeUInt32LE(endSignature, 0);
  last.writeUInt16LE(files.size, 8);
  last.writeUInt16LE(files.size, 10);
  last.writeUInt32LE(directory.length, 12);
  last.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, last]);
}

/** Checks which files there are, without inflating them. @throws JobError `bad-jobpack` */
export function listZip(bytes: Uint8Array): ZipEntry[] {
  if (bytes.length === 0) return [];
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const place = findDirectory(zip.subarray(Math.max(0, zip.length - tailBytesMax)), zip.length);
  return readDirectory(zip.subarray(place.at, place.end), place);
}

/** Name -> contents, folders left out. @throws JobError `bad-jobpack` */
export function readZip(bytes: Uint8Array): Map<string, Uint8Array> {
  return new Map(
    readHome(bytes)
      .entries()
      .map(([name, { contents }]) => [name, contents]),
  );
}

/** As `readZip`, with the files' permissions; 0: the archive does not say. @throws JobError `bad-jobpack` */
export function readHome(bytes: Uint8Array): Map<string, { readonly contents: Uint8Array; readonly mode: number }> {
  const files = new Map<string, { contents: Uint8Array; mode: number }>();
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const entry of listZip(bytes)) {
    files.set(entry.name, { contents: readEntry(zip, entry), mode: entry.mode });
  }
  return files;
}

/** The contents of a file of the archive. @throws JobError `bad-jobpack` */
export function readEntry(zip: Buffer, entry: ZipEntry): Uint8Array {
  const { from, to } = dataOf(entry, zip.subarray(entry.localAt, entry.localAt + localBytes), zip.length);
  return inflate(entry, zip.subarray(from, to));
}

/** The contents of an entry. @throws JobError `bad-jobpack` when they are not what the directory says */
export function inflate({ name, method, size, crc }: ZipEntry, data: Buffer): Uint8Array {
  let contents: Uint8Array = data;
  if (method === deflated) {
    try {
      contents = inflateRawSync(data, { maxOutputLength: Math.max(1, size) });
    } catch (cause) {
      throw badZip(`${JSON.stringify(name)} cannot be inflated to its ${size} bytes`, cause);
    }
  }
  if (contents.length !== size || crc32(contents) !== crc) {
    throw badZip(`${JSON.stringify(name)} does not match its checksum`);
  }
  return contents;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0, 0);
  return bytes;
}
