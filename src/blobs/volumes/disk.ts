/**
 * What a volume needs of the operating system, and no more: so that a test can have each call fail, and can look at what is on the
 * disk after each of them.
 */
import { constants } from "node:fs";
import { access, chmod, type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";

export interface FileStat {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  readonly isFile: boolean;
  /** Number of the device. */
  readonly device: number;
}

export interface Disk {
  /** A new file, for writing. Fails with EEXIST when there is one. */
  create(path: string): Promise<DiskFile>;
  /** An existing file, for reading. */
  open(path: string): Promise<FileHandle>;
  read(path: string): Promise<Buffer>;
  rename(from: string, to: string): Promise<void>;
  /** Gone already is fine. */
  remove(path: string): Promise<void>;
  /** With its parents. */
  mkdir(path: string): Promise<void>;
  list(path: string): Promise<string[]>;
  /** `null`: not there. */
  stat(path: string): Promise<FileStat | null>;
  protect(path: string): Promise<void>;
  /** Makes names in the directory last. */
  syncDirectory(path: string): Promise<void>;
  /** Throws when nothing can be written there. */
  assertWritable(path: string): Promise<void>;
  room(path: string): Promise<{ readonly freeBytes: number; readonly usedBytes: number }>;
}

export interface DiskFile {
  write(chunk: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

const fileMode = 0o600;
const directoryMode = 0o700;
const storedMode = 0o400;

export const realDisk: Disk = {
  async create(path) {
    const handle = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, fileMode);
    return {
      async write(chunk) {
        let from = 0;
        while (from < chunk.byteLength) {
          const { bytesWritten } = await handle.write(chunk, from, chunk.byteLength - from);
          from += bytesWritten;
        }
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  open: (path) => open(path, constants.O_RDONLY | constants.O_NOFOLLOW),
  async read(path) {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async mkdir(path) {
    await mkdir(path, { recursive: true, mode: directoryMode });
  },
  list: (path) => readdir(path),
  async stat(path) {
    try {
      const found = await stat(path);
      return { size: found.size, modifiedAt: found.mtimeMs, isFile: found.isFile(), device: found.dev };
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
