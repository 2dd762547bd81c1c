/**
 * A job's pack and the required files in it, on a node. All of it goes from file to file: packs may be larger than the memory that
 * the node has for itself.
 */
import {
  copyFileSync,
  createReadStream,
  createWriteStream,
  constants as fsConstants,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { PassThrough, Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";
import type { PackHeader } from "../protocol/jobpack.ts";
import { listPackedFiles, type PackedFile } from "../protocol/jobpack-file.ts";
import { badZip, deflated, endBytes } from "../protocol/zip-directory.ts";

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
  for (const file of files) await unpackFile(pack, file, join(directory, file.name), 0o755);
  return files.length;
}

/** Under its name a file is whole. @throws JobError `bad-jobpack` for one that is not what the archive's directory says */
export async function unpackFile(pack: string, file: PackedFile, path: string, mode: number): Promise<void> {
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
