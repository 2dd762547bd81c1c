/**
 * What a volume needs of the operating system, and no more: so that a test can have each call fail, and can look at what is on the
 * disk after each of them. Paths are absolute.
 */
import { constants, createReadStream } from "node:fs";
import { access, chmod, mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import type { Readable } from "node:stream";

export interface FileStat {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  readonly isFile: boolean;
}

export interface Disk {
  /** A new file, for writing. Fails with EEXIST when there is one. */
  create(path: string): Promise<DiskFile>;
  /** Bytes of a file from the first up to, not including, the last; none is read before this has resolved. */
  stream(path: string, from: number, to: number): Promise<Readable>;
  /** The whole of a small file. */
  read(path: string): Promise<Buffer>;
  rename(from: string, to: string): Promise<void>;
  /** Gone already is fine. */
  remove(path: string): Promise<void>;
  /** Its parent has to be there. There already is fine. */
  mkdir(path: string): Promise<void>;
  list(path: string): Promise<string[]>;
  /** `null`: not there. */
  stat(path: string): Promise<FileStat | null>;
  /** Nobody writes to it any more. */
  protect(path: string): Promise<void>;
  /** Makes names in the directory last. */
  syncDirectory(path: string): Promise<void>;
  /** Throws when nothing can be written there. */
  assertWritable(path: string): Promise<void>;
  room(path: string): Promise<{ readonly freeBytes: number; readonly usedBytes: number }>;
}

export interface DiskFile {
  /** All of them, one behind the other. */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

const fileMode = 0o600;
const directoryMode = 0o700;
const storedMode = 0o400;
const readBytes = 1024 * 1024;
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW;

export const realDisk: Disk = {
  async create(path) {
    const handle = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, fileMode);
    return {
      async write(chunks) {
        let left = chunks.filter((chunk) => chunk.byteLength > 0);
        while (left.length > 0) {
          const { bytesWritten } = await handle.writev(left as Uint8Array[]);
          left = behind(left, bytesWritten);
        }
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  async stream(path, from, to) {
    const handle = await open(path, readFlags);
    return createReadStream("", { fd: handle, start: from, end: to - 1, highWaterMark: readBytes });
  },
  async read(path) {
    const handle = await open(path, readFlags);
    try {
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async mkdir(path) {
    try {
      await mkdir(path, { mode: directoryMode });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  },
  list: (path) => readdir(path),
  async stat(path) {
    try {
      const found = await stat(path);
      return { size: found.size, modifiedAt: found.mtimeMs, isFile: found.isFile() };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  },
  protect: (path) => chmod(path, storedMode),
  async syncDirectory(path) {
    const handle = await open(path, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  assertWritable: (path) => access(path, constants.W_OK),
  async room(path) {
    const { bsize, blocks, bavail, bfree } = await statfs(path);
    return { freeBytes: bavail * bsize, usedBytes: (blocks - bfree) * bsize };
  },
};

/** What is still to be written: a disk that is nearly full takes a part. */
function behind(chunks: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  return chunks.flatMap((chunk) => {
    const skipped = Math.min(skip, chunk.byteLength);
    skip -= skipped;
    return skipped === chunk.byteLength ? [] : [chunk.subarray(skipped)];
  });
}
