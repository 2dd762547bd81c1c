/**
 * The zip archive inside of a job pack, just as much of the format as is needed: stored and deflated entries, no ZIP64, no
 * encryption. Read defensively, since whoever may submit jobs may send any bytes: the central directory is the only truth,
 * sizes are limited before anything is inflated, and an entry that would leave the folder, is a link, occurs twice or does
 * not match its checksum refuses the whole archive.
 */
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { JobError } from "../errors.ts";

const filesMax = 20_000;
/** Of all files together, inflated. */
const inflatedBytesMax = 1024 ** 3;
const nameBytesMax = 1024;
/** Smaller contents are not worth deflating. */
const deflateBytesMin = 128;

const localSignature = 0x0403_4b50;
const centralSignature = 0x0201_4b50;
const endSignature = 0x0605_4b50;
const localBytes = 30;
const centralBytes = 46;
const endBytes = 22;
const commentBytesMax = 0xffff;
const utf8Flag = 0x0800;
const encryptedFlag = 0x0001;
/** 1 January 1980, the zip epoch: the same files give the same bytes. */
const fixedDate = 0x0021;
const stored = 0;
const deflated = 8;
const fileTypeMask = 0o170000;
const regularFile = 0o100000;
const folder = 0o040000;
const unixHost = 3;

/** Writes files flat. @throws JobError `bad-jobpack` when a name has a folder in it. */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const locals: Uint8Array[] = [];
  const centrals: Uint8Array[] = [];
  let at = 0;
  if (files.size > filesMax) throw bad(`${files.size} files, the limit is ${filesMax}`);
  for (const [name, contents] of files) {
    checkName(name);
    if (name.includes("/")) throw bad(`${JSON.stringify(name)} has a folder in it`);
    const small = contents.length < deflateBytesMin ? contents : deflateRawSync(contents, { level: 6 });
    const method = small.length < contents.length ? deflated : stored;
    const data = method === deflated ? small : contents;
    const encodedName = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0); // version needed
    fields.writeUInt16LE(utf8Flag, 2);
    fields.writeUInt16LE(method, 4);
    fields.writeUInt16LE(0, 6);
    fields.writeUInt16LE(fixedDate, 8);
    fields.writeUInt32LE(crc32(contents), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(contents.length, 18);
    fields.writeUInt16LE(encodedName.length, 22);
    locals.push(word(localSignature), fields, encodedName, data);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((regularFile | 0o644) * 0x1_0000, 6);
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

/** Name -> contents, folders left out. @throws JobError `bad-jobpack` */
export function readZip(bytes: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  if (bytes.length === 0) return files;
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    let budget = inflatedBytesMax;
    const seen = new Set<string>();
    for (const entry of centralEntries(zip)) {
      checkName(entry.name);
      // Case-insensitive: two such names are one file on some machines.
      const key = entry.name.normalize("NFC").toLowerCase();
      if (seen.has(key)) throw bad(`${JSON.stringify(entry.name)} occurs twice`);
      seen.add(key);
      if (entry.isFolder) continue;
      budget -= entry.size;
      if (budget < 0) throw bad(`its files have more than ${inflatedBytesMax} bytes`);
      files.set(entry.name, contentsOf(zip, entry));
    }
  } catch (error) {
    if (error instanceof RangeError) throw bad("it is truncated", error);
    throw error;
  }
  return files;
}

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly method: number;
  readonly crc: number;
  readonly storedSize: number;
  readonly size: number;
  readonly localAt: number;
}

function* centralEntries(zip: Buffer): Generator<Entry> {
  const endAt = findEnd(zip);
  const count = zip.readUInt16LE(endAt + 10);
  if (count > filesMax) throw bad(`${count} files, the limit is ${filesMax}`);
  let at = zip.readUInt32LE(endAt + 16);
  for (let index = 0; index < count; index += 1) {
    if (zip.readUInt32LE(at) !== centralSignature) throw bad(`no entry at byte ${at}`);
    const flags = zip.readUInt16LE(at + 8);
    if ((flags & encryptedFlag) !== 0) throw bad("it is encrypted");
    const nameBytes = zip.readUInt16LE(at + 28);
    if (nameBytes > nameBytesMax) throw bad(`a name of ${nameBytes} bytes`);
    if (at + centralBytes + nameBytes > zip.length) throw bad("it is truncated");
    const name = zip.toString("utf8", at + centralBytes, at + centralBytes + nameBytes);
    const type = zip.readUInt8(at + 5) === unixHost ? (zip.readUInt32LE(at + 38) >>> 16) & fileTypeMask : 0;
    if (type !== 0 && type !== regularFile && type !== folder)
      throw bad(`${JSON.stringify(name)} is a link or a special file`);
    yield {
      name: name.replace(/\/$/, ""),
      isFolder: name.endsWith("/") || type === folder,
      method: zip.readUInt16LE(at + 10),
      crc: zip.readUInt32LE(at + 16),
      storedSize: zip.readUInt32LE(at + 20),
      size: zip.readUInt32LE(at + 24),
      localAt: zip.readUInt32LE(at + 42),
    };
    at += centralBytes + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
}

function findEnd(zip: Buffer): number {
  const lowest = Math.max(0, zip.length - endBytes - commentBytesMax);
  for (let at = zip.length - endBytes; at >= lowest; at -= 1) if (zip.readUInt32LE(at) === endSignature) return at;
  throw bad("it has no directory");
}

function contentsOf(zip: Buffer, { name, method, crc, storedSize, size, localAt }: Entry): Uint8Array {
  if (zip.readUInt32LE(localAt) !== localSignature) throw bad(`no file at byte ${localAt} (${JSON.stringify(name)})`);
  const at = localAt + localBytes + zip.readUInt16LE(localAt + 26) + zip.readUInt16LE(localAt + 28);
  if (at + storedSize > zip.length) throw bad(`${JSON.stringify(name)} is truncated`);
  const data = zip.subarray(at, at + storedSize);
  const contents = inflate(name, method, data, size);
  if (contents.length !== size || crc32(contents) !== crc)
    throw bad(`${JSON.stringify(name)} does not match its checksum`);
  return contents;
}

function inflate(name: string, method: number, data: Buffer, size: number): Uint8Array {
  if (method === stored) return data;
  if (method !== deflated)
    throw bad(`${JSON.stringify(name)} is compressed by method ${method}, which is not supported`);
  try {
    return inflateRawSync(data, { maxOutputLength: Math.max(1, size) });
  } catch (cause) {
    throw bad(`${JSON.stringify(name)} cannot be inflated to its ${size} bytes`, cause);
  }
}

function checkName(name: string): void {
  const parts = name.split("/");
  const isUnsafe =
    parts.some((part) => part === "" || part === "." || part === "..") || /[\\:\p{Cc}\uFFFD]/u.test(name);
  if (isUnsafe) throw bad(`${JSON.stringify(name)} is not an allowed name`);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0, 0);
  return bytes;
}

function bad(message: string, cause?: unknown): JobError {
  return new JobError(`invalid jobhome: ${message}`, { code: "bad-jobpack", cause });
}
