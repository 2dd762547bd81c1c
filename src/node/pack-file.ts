/**
 * A job's pack and the required files in it, on a node. All of it goes from file to file: packs may be larger than the memory that
 * the node has for itself.
 */
import {
  closeSync,
  copyFileSync,
  createReadStream,
  createWriteStream,
  constants as fsConstants,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { PassThrough, Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";
import type { PackHeader } from "../protocol/jobpack.ts";
import { listPackedFiles, type PackedFile } from "../protocol/jobpack-file.ts";
import { inflate } from "../protocol/jobpack-zip.ts";
import { badZip, deflated, endBytes } from "../protocol/zip-directory.ts";

/** Files of up to so many bytes are unpacked at once. */
const smallBytesMax = 256 * 1024;
/** So much before others have a turn; a file counts for so many bytes more than it has. */
const atOnceBytesMax = 1024 * 1024;
const perFileBytes = 16 * 1024;

/**
 * Puts the master's pack in its place on a node that has the same disk, or at least the same files: as another name of the same file,
 * which is never written again; as a copy where that cannot be. It is there whole or not at all.
 */
export function placePack(from: string, to: string): void {
  try {
    linkSync(from, to);
    return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code === "ENOENT") throw error;
  }
  const temporary = `${to}.${process.pid}.partial`;
  try {
    copyFileSync(from, temporary, fsConstants.COPYFILE_FICLONE);
    renameSync(temporary, to);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Unpacks the required files of a pack into `directory`; returns how many there are.
 * @throws JobError `bad-jobpack` for a file that is not what the archive's directory says
 */
export async function unpackFiles(pack: string, header: PackHeader, directory: string): Promise<number> {
  // Nothing, or an archive of nothing: no reason to open the file, which takes three turns.
  if (header.dataAt - header.homeAt <= endBytes) return 0;
  const files = await listPackedFiles(pack, header);
  // Executable: an external program may be among them.
  await unpackEach(pack, files, ({ name }) => ({ path: join(directory, name), mode: 0o755 }));
  return files.length;
}

/**
 * Unpacks files, each whole under its name or not there: small ones at once, as the way through the thread pool and back takes many times
 * longer than a file of a few kilobytes; large ones as streams.
 * @throws JobError `bad-jobpack` for the first that is not what the archive's directory says
 */
export async function unpackEach(
  pack: string,
  files: readonly PackedFile[],
  placeOf: (file: PackedFile, index: number) => { readonly path: string; readonly mode: number },
): Promise<void> {
  const fd = openSync(pack, "r");
  try {
    let atOnceBytes = 0;
    for (const [index, file] of files.entries()) {
      const { path, mode } = placeOf(file, index);
      if (file.size > smallBytesMax || file.storedSize > smallBytesMax) await unpackLarge(pack, file, path, mode);
      else unpackSmall(fd, file, path, mode);
      atOnceBytes += file.size + perFileBytes;
      if (atOnceBytes < atOnceBytesMax) continue;
      atOnceBytes = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeSync(fd);
  }
}

function unpackSmall(fd: number, file: PackedFile, path: string, mode: number): void {
  const { from, to } = file;
  const stored = Buffer.allocUnsafe(to - from);
  if (readSync(fd, stored, 0, stored.length, from) !== stored.length) throw badZip("it is truncated");
  const contents = inflate(file, stored);
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.partial`;
  try {
    writeFileSync(temporary, contents, { mode });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

async function unpackLarge(pack: string, file: PackedFile, path: string, mode: number): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.partial`;
  try {
    const { from, to } = file;
    const stored = to === from ? Readable.from([]) : createReadStream(pack, { start: from, end: to - 1 });
    const inflated = file.method === deflated ? createInflateRaw() : new PassThrough();
    await pipeline(stored, inflated, checkedAgainst(file), createWriteStream(temporary, { mode }));
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    // What zlib says of damaged data; a full disk is none of it.
    if ((error as NodeJS.ErrnoException).code?.startsWith("Z_") !== true) throw error;
    throw badZip(`${JSON.stringify(file.name)} cannot be inflated`, error);
  }
}

/** Passes bytes on as long as they can be the file's, which has a size and a checksum. */
function checkedAgainst({ name, size, crc }: PackedFile): Transform {
  let length = 0;
  let sum = 0;
  const mismatch = (): Error => badZip(`${JSON.stringify(name)} does not match its size and checksum`);
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      length += chunk.length;
      sum = crc32(chunk, sum);
      if (length > size) done(mismatch());
      else done(null, chunk);
    },
    flush(done) {
      done(length === size && sum === crc ? null : mismatch());
    },
  });
}
