/**
 * The central directory of the zip archive inside of a job pack: which files there are and where their bytes lie. Whoever may submit
 * jobs may send any bytes, so the directory is the only truth, and the whole archive is refused for one entry that would leave
 * the folder, is a link, a device or encrypted, occurs twice, is a file and a folder at once, shares bytes with another one, or
 * announces more than its bytes can hold. All of it is known from the directory, before anything is inflated. A file that is
 * there twice with the same contents is there once: Disco's Python library packs its worker with the rest, and again by itself.
 *
 * Just as much of the format as is needed: stored and deflated entries, no ZIP64.
 */
import { JobError } from "../errors.ts";

export const filesMax = 20_000;
/** Of all files together, inflated. */
export const inflatedBytesMax = 1024 ** 3;
const directoryBytesMax = 32 * 1024 * 1024;
const nameBytesMax = 1024;
/** Deflate makes at most 1032 bytes of one; a bit more, for the end of very small entries. */
const inflationMax = 1040;

export const localSignature = 0x0403_4b50;
export const centralSignature = 0x0201_4b50;
export const endSignature = 0x0605_4b50;
export const localBytes = 30;
const centralBytes = 46;
export const endBytes = 22;
const commentBytesMax = 0xffff;
const encryptedFlag = 0x0001;
/** In place of numbers that do not fit: ZIP64 has them elsewhere. */
const zip64Count = 0xffff;
const zip64Size = 0xffff_ffff;
export const stored = 0;
export const deflated = 8;
const fileTypeMask = 0o170000;
/** What may be kept of a mode: no set-user-id and the like. */
export const permissionMask = 0o777;
export const regularFile = 0o100000;
const folder = 0o040000;
export const unixHost = 3;

/** So many bytes at the end of an archive say where its directory is. */
export const tailBytesMax = endBytes + commentBytesMax;

export interface ZipEntry {
  /** With `/` between folders. */
  readonly name: string;
  /** Permissions on Unix, as in `0o755`; 0: it does not say. */
  readonly mode: number;
  readonly method: number;
  readonly crc: number;
  readonly storedSize: number;
  readonly size: number;
  /** Where in the archive its local header begins. */
  readonly localAt: number;
}

export interface DirectoryPlace {
  /** From here to `end`, in the archive. */
  readonly at: number;
  readonly end: number;
  readonly entries: number;
}

/** Finds the directory by the last bytes of an archive of `size` bytes (`tailBytesMax`, or all). @throws JobError `bad-jobpack` */
export function findDirectory(tail: Buffer, size: number): DirectoryPlace {
  for (let at = tail.length - endBytes; at >= 0; at -= 1) {
    // Its comment is the very last thing: what comes behind it would be no part of the archive.
    if (tail.readUInt32LE(at) !== endSignature || at + endBytes + tail.readUInt16LE(at + 20) !== tail.length) continue;
    const end = size - tail.length + at;
    const entries = tail.readUInt16LE(at + 10);
    const directoryAt = tail.readUInt32LE(at + 16);
    if (entries === zip64Count || directoryAt === zip64Size) throw zip64();
    if (entries > filesMax) throw badZip(`${entries} files, the limit is ${filesMax}`);
    if (directoryAt > end) throw badZip("it is truncated");
    if (end - directoryAt > directoryBytesMax) throw badZip(`its directory has ${end - directoryAt} bytes`);
    return { at: directoryAt, end, entries };
  }
  throw badZip("it has no directory");
}

/**
 * The files of a directory, in order; folders, which files below them imply anyway, are given to `folder`.
 * @throws JobError `bad-jobpack`
 */
export function readDirectory(directory: Buffer, place: DirectoryPlace, folder?: (name: string) => void): ZipEntry[] {
  try {
    const files = new Map<string, ZipEntry>();
    const all: ZipEntry[] = [];
    const names = new Names();
    let budget = inflatedBytesMax;
    for (const { entry, isFolder } of entriesOf(directory, place.entries)) {
      const known = files.get(entry.name);
      const isRepeated = known !== undefined && !isFolder && known.size === entry.size && known.crc === entry.crc;
      if (!isRepeated) names.add(entry.name, isFolder);
      if (isFolder) {
        folder?.(entry.name);
        continue;
      }
      budget -= entry.size;
      if (budget < 0) throw badZip(`its files have more than ${inflatedBytesMax} bytes`);
      checkSizes(entry);
      all.push(entry);
      if (!isRepeated) files.set(entry.name, entry);
    }
    checkPlaces(all, place.at);
    return [...files.values()];
  } catch (error) {
    if (error instanceof RangeError) throw badZip("it is truncated", error);
    throw error;
  }
}

/** The entries of a directory, one after the other, as far as they can be read; nothing but their form is checked. */
export function* entriesOf(directory: Buffer, count: number): Generator<{ entry: ZipEntry; isFolder: boolean }> {
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    if (directory.readUInt32LE(at) !== centralSignature) throw badZip(`no entry at byte ${at} of its directory`);
    if ((directory.readUInt16LE(at + 8) & encryptedFlag) !== 0) throw badZip("it is encrypted");
    const nameBytes = directory.readUInt16LE(at + 28);
    if (nameBytes > nameBytesMax) throw badZip(`a name of ${nameBytes} bytes`);
    if (at + centralBytes + nameBytes > directory.length) throw badZip("it is truncated");
    const name = directory.toString("utf8", at + centralBytes, at + centralBytes + nameBytes);
    const isUnix = directory.readUInt8(at + 5) === unixHost;
    const unixMode = isUnix ? directory.readUInt32LE(at + 38) >>> 16 : 0;
    const type = unixMode & fileTypeMask;
    if (type !== 0 && type !== regularFile && type !== folder) {
      throw badZip(`${JSON.stringify(name)} is a link or a special file`);
    }
    const entry = {
      name: name.replace(/\/$/, ""),
      mode: unixMode & permissionMask,
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      storedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      localAt: directory.readUInt32LE(at + 42),
    };
    if ([entry.size, entry.storedSize, entry.localAt].includes(zip64Size)) throw zip64();
    yield { entry, isFolder: name.endsWith("/") || type === folder };
    at += centralBytes + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
}

/** Where the bytes of an entry lie in the archive, by its local header (`localBytes` at `entry.localAt`). */
export function dataOf(entry: ZipEntry, local: Buffer, archiveBytes: number): { from: number; to: number } {
  const { name, localAt, storedSize } = entry;
  if (local.length < localBytes || local.readUInt32LE(0) !== localSignature) {
    throw badZip(`no file at byte ${localAt} (${JSON.stringify(name)})`);
  }
  const from = localAt + localBytes + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (from + storedSize > archiveBytes) throw badZip(`${JSON.stringify(name)} is truncated`);
  return { from, to: from + storedSize };
}

/** Names that have been seen: files, and the folders that they need. Some machines do not tell upper from lower case. */
export class Names {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();

  add(name: string, isFolder: boolean): void {
    checkName(name);
    const key = name.normalize("NFC").toLowerCase();
    if (isFolder ? this.#files.has(key) : this.#files.has(key) || this.#folders.has(key)) {
      throw badZip(`${JSON.stringify(name)} occurs twice`);
    }
    if (isFolder) this.#folders.add(key);
    else this.#files.add(key);
    for (let end = key.lastIndexOf("/"); end > 0; end = key.lastIndexOf("/", end - 1)) {
      const above = key.slice(0, end);
      if (this.#files.has(above)) throw badZip(`${JSON.stringify(name)} is below a file`);
      if (this.#folders.has(above)) break;
      this.#folders.add(above);
    }
  }
}

/** @throws JobError `bad-jobpack` for a name that leads anywhere but down, or is too long */
function checkName(name: string): void {
  const parts = name.split("/");
  const isUnsafe =
    parts.some((part) => part === "" || part === "." || part === "..") || /[\\:\p{Cc}\uFFFD]/u.test(name);
  if (isUnsafe) throw badZip(`${JSON.stringify(name)} is not an allowed name`);
  if (Buffer.byteLength(name) > nameBytesMax) throw badZip(`a name of ${Buffer.byteLength(name)} bytes`);
}

function checkSizes({ name, method, size, storedSize }: ZipEntry): void {
  if (method !== stored && method !== deflated) {
    throw badZip(`${JSON.stringify(name)} is compressed by method ${method}, which is not supported`);
  }
  const isPossible = method === stored ? size === storedSize : size <= storedSize * inflationMax;
  if (!isPossible) throw badZip(`${JSON.stringify(name)} cannot have ${size} bytes`);
}

/** Entries that share bytes make small archives of endless contents. */
function checkPlaces(files: readonly ZipEntry[], directoryAt: number): void {
  const sorted = [...files].sort((a, b) => a.localAt - b.localAt);
  for (const [i, entry] of sorted.entries()) {
    const next = sorted[i + 1]?.localAt ?? directoryAt;
    const end = entry.localAt + localBytes + Buffer.byteLength(entry.name) + entry.storedSize;
    if (end > next) throw badZip(`${JSON.stringify(entry.name)} lies where something else does`);
  }
}

function zip64(): JobError {
  return badZip(
    `it is in the ZIP64 format, which is not supported: at most ${filesMax} files fit in, and ${inflatedBytesMax} bytes`,
  );
}

export function badZip(reason: string, cause?: unknown): JobError {
  return new JobError(`invalid jobhome: ${reason}`, { code: "bad-jobpack", cause });
}
