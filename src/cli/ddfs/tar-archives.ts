/**
 * Files in tar archives, as sources of blobs. A member is a part of the archive's file: it is read where it lies, several at a time, and
 * again when a node fails. An archive that is compressed, or comes through a pipe, is unpacked into a temporary file first.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DiscoError } from "../../errors.ts";
import { plainBytes } from "./plain-bytes.ts";
import type { Source } from "./push.ts";
import { listMembers } from "./tar-headers.ts";

export interface Archives extends AsyncDisposable {
  members(file: string, signal: AbortSignal): Promise<Source[]>;
}

const readBytes = 1024 * 1024;

export function openArchives(): Archives {
  const folders: string[] = [];

  async function unpacked(file: string, signal: AbortSignal): Promise<string> {
    if (file !== "-" && !(await isCompressed(file))) return file;
    const folder = await mkdtemp(join(tmpdir(), "ddfs-tar-"));
    folders.push(folder);
    const path = join(folder, "archive.tar");
    const bytes = file === "-" ? process.stdin : createReadStream(file, { highWaterMark: readBytes });
    await pipeline(plainBytes(bytes, file), createWriteStream(path), { signal });
    return path;
  }

  return {
    async members(file, signal) {
      const path = await unpacked(file, signal);
      const handle = await openFile(path);
      try {
        const { size } = await handle.stat();
        const found = await listMembers((offset, length) => readAt(handle, offset, length), size, file);
        return found.map((member) => ({
          name: member.path.replace(/^(?:\.\/)+/, ""),
          path: member.path,
          size: member.size,
          open: () => partOf(path, member.offset, member.size),
        }));
      } finally {
        await handle.close();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
    },
  };
}

async function isCompressed(file: string): Promise<boolean> {
  const handle = await openFile(file);
  try {
    const start = await readAt(handle, 0, 4);
    return start.readUIntBE(0, Math.min(2, start.length) || 1) === 0x1f8b || start.toString("hex") === "28b52ffd";
  } finally {
    await handle.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT")
      throw new DiscoError(`no such file: ${path}`, { code: "no-such-file", cause: error, hint: "Check the path." });
    throw new DiscoError(`${path} cannot be read: ${message}`, { code: "no-permission", cause: error });
  }
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

/** `end` of a stream is its last byte: one of nothing cannot be said so. */
async function* partOf(path: string, offset: number, size: number): AsyncGenerator<Uint8Array> {
  if (size === 0) return;
  const part = createReadStream(path, { start: offset, end: offset + size - 1, highWaterMark: readBytes });
  yield* part as AsyncIterable<Buffer>;
}
