/**
 * Job packs that are files: read part by part, by the offsets of the header. A pack may have a gigabyte of required files and of
 * data for the worker, which nobody but a worker needs in memory.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { JobError } from "../errors.ts";
import {
  type JobDictJson,
  type PackHeader,
  packHeaderBytes,
  readJobDict,
  readJobEnvs,
  readPackHeader,
} from "./jobpack.ts";
import { dataOf, findDirectory, localBytes, readDirectory, tailBytesMax, type ZipEntry } from "./zip-directory.ts";

/** A million inputs fit in; the rest of a job is not in its dict. */
export const jobDictBytesMax = 256 * 1024 * 1024;
export const jobEnvsBytesMax = 1024 * 1024;

/** What the master needs of a pack. */
export interface PackSummary {
  readonly header: PackHeader;
  readonly jobdict: JobDictJson;
  readonly jobenvs: Readonly<Record<string, string>>;
  /** What its archive lists. */
  readonly files: readonly ZipEntry[];
  /** Bytes of the whole. */
  readonly size: number;
}

/**
 * Reads header, dict and environment of a pack, and the directory of its files, which is checked. Neither the files nor the job's data
 * are read.
 * @throws JobError `bad-jobpack`
 */
export async function readPackSummary(file: string): Promise<PackSummary> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const header = readPackHeader(await readPart(handle, 0, Math.min(size, packHeaderBytes)), size);
    const { version, dictAt, envsAt, homeAt } = header;
    checkLengths(header);
    const jobdict = readJobDict(await readPart(handle, dictAt, envsAt - dictAt), version);
    const jobenvs = readJobEnvs(await readPart(handle, envsAt, homeAt - envsAt));
    return { header, jobdict, jobenvs, files: await readJobHome(handle, header), size };
  } finally {
    await handle.close();
  }
}

/** A required file in a pack. */
export interface PackedFile extends ZipEntry {
  /** Where its stored bytes lie in the pack: from here up to, not including, `to`. */
  readonly from: number;
  readonly to: number;
}

/** The files of a pack, and where they lie in it; its folders go to `folder`. @throws JobError `bad-jobpack` */
export async function listPackedFiles(
  pack: string,
  header: PackHeader,
  folder?: (name: string) => void,
): Promise<PackedFile[]> {
  const { homeAt, dataAt } = header;
  const files: PackedFile[] = [];
  const handle = await open(pack, "r");
  try {
    for (const entry of await readJobHome(handle, header, folder)) {
      const localAt = homeAt + entry.localAt;
      // A few bytes, of thousands of files.
      const local = readPartSync(handle.fd, localAt, Math.min(localBytes, dataAt - localAt));
      const { from, to } = dataOf(entry, local, dataAt - homeAt);
      files.push({ ...entry, from: homeAt + from, to: homeAt + to });
    }
  } finally {
    await handle.close();
  }
  return files;
}

async function readJobHome(
  handle: FileHandle,
  { homeAt, dataAt }: PackHeader,
  folder?: (name: string) => void,
): Promise<ZipEntry[]> {
  const size = dataAt - homeAt;
  if (size === 0) return [];
  const tailBytes = Math.min(size, tailBytesMax);
  const place = findDirectory(await readPart(handle, dataAt - tailBytes, tailBytes), size);
  return readDirectory(await readPart(handle, homeAt + place.at, place.end - place.at), place, folder);
}

/** What a node needs of a pack before it starts a worker. @throws JobError `bad-jobpack` */
export function readPackEnvsSync(file: string): { header: PackHeader; jobenvs: Readonly<Record<string, string>> } {
  return withPack(file, (fd, header) => {
    checkLengths(header);
    return { header, jobenvs: readJobEnvs(readPartSync(fd, header.envsAt, header.homeAt - header.envsAt)) };
  });
}

/** The part of a pack that is for its worker alone. @throws JobError `bad-jobpack` */
export function readJobDataSync(file: string): Buffer {
  return withPack(file, (fd, header, size) => readPartSync(fd, header.dataAt, size - header.dataAt));
}

function withPack<T>(file: string, read: (fd: number, header: PackHeader, size: number) => T): T {
  const fd = openSync(file, "r");
  try {
    const { size } = fstatSync(fd);
    return read(fd, readPackHeader(readPartSync(fd, 0, Math.min(size, packHeaderBytes)), size), size);
  } finally {
    closeSync(fd);
  }
}

function checkLengths({ dictAt, envsAt, homeAt }: PackHeader): void {
  if (envsAt - dictAt > jobDictBytesMax) throw tooLong("jobdict", envsAt - dictAt, jobDictBytesMax);
  if (homeAt - envsAt > jobEnvsBytesMax) throw tooLong("jobenvs", homeAt - envsAt, jobEnvsBytesMax);
}

async function readPart(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const part = Buffer.allocUnsafeSlow(length);
  for (let read = 0; read < length; ) {
    const { bytesRead } = await handle.read(part, read, length - read, at + read);
    if (bytesRead === 0) throw cutOff();
    read += bytesRead;
  }
  return part;
}

function readPartSync(fd: number, at: number, length: number): Buffer {
  const part = Buffer.allocUnsafeSlow(length);
  for (let read = 0; read < length; ) {
    const bytesRead = readSync(fd, part, read, length - read, at + read);
    if (bytesRead === 0) throw cutOff();
    read += bytesRead;
  }
  return part;
}

function tooLong(part: string, bytes: number, max: number): JobError {
  return new JobError(`invalid ${part}: it has ${bytes} bytes, the limit is ${max}`, { code: "bad-jobpack" });
}

function cutOff(): JobError {
  return new JobError("invalid header: the job pack ends early", { code: "bad-jobpack" });
}
