/**
 * Local files: a path, or `file://`. `PATH#bytes=FROM-TO` is a part of a big file of lines: the lines that *begin* at an offset
 * from FROM up to, not including, TO. So the parts `0-a`, `a-b`, `b-end` of a file hold each of its lines once, wherever
 * the cuts fall.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DataError, DiscoError } from "../errors.ts";
import { type ByteSource, lend, type Scheme } from "./scheme.ts";

/** Large enough that a system call is nothing, small enough that text of it stays in the processor's caches. */
const chunkBytes = 256 * 1024;
/** Where a file seems to end it is read on by so much: it may have grown. */
const growthBytes = 64;
const newline = 10;

export interface FilePart {
  readonly path: string;
  readonly from: number;
  /** `null`: to the end. */
  readonly to: number | null;
}

/** Takes a local address apart. Throws `DataError` for a `file://` address that is none. */
export function parseFileUrl(url: string): FilePart {
  const part = /^(.*)#bytes=(\d+)-(\d+)$/s.exec(url);
  const whole = part?.[1] ?? url;
  let path = whole;
  if (/^file:/i.test(whole)) {
    try {
      path = fileURLToPath(whole);
    } catch (error) {
      throw new DataError(`${url} is not the address of a local file`, {
        code: "bad-url",
        retry: "never",
        url,
        cause: error,
      });
    }
  }
  return { path, from: part ? Number(part[2]) : 0, to: part ? Number(part[3]) : null };
}

export const fileScheme: Scheme = {
  open(url) {
    return openFile(url, parseFileUrl(url));
  },
};

/** Opens `part` under the name `url`. The file is checked now and opened when it is read. */
export function openFile(url: string, part: FilePart): ByteSource {
  let size: number;
  try {
    const found = statSync(part.path);
    if (found.isDirectory()) {
      throw new DataError(`${url} is a directory`, {
        code: "is-directory",
        retry: "never",
        url,
        hint: `Give its files: ${part.path.replace(/\/$/, "")}/*`,
      });
    }
    size = found.size;
  } catch (error) {
    throw fileError(url, error);
  }
  const end = Math.min(part.to ?? size, size);
  return {
    url,
    size: Math.max(0, end - part.from),
    [Symbol.iterator]: () => readFileChunks(url, part, false),
    [lend]: () => readFileChunks(url, part, true),
    async *[Symbol.asyncIterator]() {
      // A local disk answers at once; giving way between chunks is all that the event loop needs.
      for (const chunk of readFileChunks(url, part, false)) {
        yield chunk;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** `isLent`: all chunks are the same memory, each is overwritten by the next. */
function* readFileChunks(url: string, part: FilePart, isLent: boolean): Generator<Uint8Array, undefined, undefined> {
  let fd: number;
  try {
    fd = openSync(part.path, "r");
  } catch (error) {
    throw fileError(url, error);
  }
  try {
    // One byte early: a line begins at FROM if the byte before ends one.
    let at = Math.max(0, part.from - 1);
    let searching = part.from > 0;
    const to = part.to ?? Number.POSITIVE_INFINITY;
    if (to <= part.from) return;
    const found = fstatSync(fd);
    const regular = found.isFile();
    let memory: Buffer | null = null;
    for (;;) {
      // Not more than there is: thousands of small files would each make a megabyte of garbage. It never grows.
      const room = regular ? Math.min(chunkBytes, Math.max(found.size - at, growthBytes)) : chunkBytes;
      const chunk: Buffer = memory ?? Buffer.allocUnsafeSlow(room);
      if (isLent) memory = chunk;
      let length: number;
      try {
        length = readSync(fd, chunk, 0, room, regular ? at : null);
      } catch (error) {
        throw fileError(url, error);
      }
      if (length === 0) return;
      let from = 0;
      if (searching) {
        const first = chunk.subarray(0, length).indexOf(newline);
        if (first === -1) {
          at += length;
          if (at >= to) return;
          continue;
        }
        searching = false;
        from = first + 1;
        if (at + from >= to) return;
      }
      if (at + length >= to) {
        // The last line of the part ends at the first line end at or after TO - 1.
        const last = chunk.subarray(0, length).indexOf(newline, Math.max(from, to - 1 - at));
        if (last !== -1) {
          yield chunk.subarray(from, last + 1);
          return;
        }
      }
      if (from < length) yield chunk.subarray(from, length);
      at += length;
    }
  } finally {
    closeSync(fd);
  }
}

const isBlob = /^disco:\/\/[^/]+\/ddfs\//;

export function fileError(url: string, error: unknown): DiscoError {
  if (error instanceof DiscoError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new DataError(`no such file: ${url}`, {
      code: "no-such-file",
      url,
      cause: error,
      hint: isBlob.test(url)
        ? "`ddfs fsck` names the blobs of which no replica is left: what needs them has to be pushed again."
        : "A local path must exist on every node that runs tasks of the job.",
    });
  }
  if (code === "EACCES" || code === "EPERM") {
    return new DataError(`no permission to read ${url}`, { code: "no-permission", url, cause: error });
  }
  return new DataError(`${url} cannot be read: ${(error as Error).message}`, { url, cause: error });
}
