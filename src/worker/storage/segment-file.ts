/**
 * An append-only file that one process writes and many read. Small appends are gathered, so that thousands of tiny tasks
 * cost a few writes; `flush` before anybody else is told of an offset. Writes are synchronous: a worker has nothing else to
 * do, and it never holds more than one block that is not written.
 */
import fs from "node:fs";
import path from "node:path";
import { DiscoError } from "../../errors.ts";

/** Appends smaller than this are gathered. */
const gatherBytes = 256 * 1024;

export class SegmentFile {
  /** Absolute path. */
  readonly path: string;
  readonly #fd: number;
  #length = 0;
  readonly #pending = Buffer.allocUnsafeSlow(gatherBytes);
  #pendingLength = 0;
  #closed = false;

  private constructor(file: string, fd: number) {
    this.path = file;
    this.#fd = fd;
  }

  /** Creates the file, and its folder. It must not exist: names contain the worker's id. */
  static create(file: string): SegmentFile {
    try {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      return new SegmentFile(file, fs.openSync(file, "wx+"));
    } catch (error) {
      throw diskError(error, file);
    }
  }

  /** A file that is gone when it is closed, or when the process dies. */
  static createScratch(dir: string): SegmentFile {
    const segment = SegmentFile.create(path.join(dir, `scratch-${process.pid}-${scratchCount++}.tmp`));
    // Where the system does not allow this on open files, `remove` or the job's clean-up does it.
    fs.rmSync(segment.path, { force: true, maxRetries: 0 });
    return segment;
  }

  /** Bytes appended so far; the offset of the next append. */
  get length(): number {
    return this.#length + this.#pendingLength;
  }

  /** It has no name any more. */
  get isDeleted(): boolean {
    return fs.fstatSync(this.#fd).nlink === 0;
  }

  get fd(): number {
    return this.#fd;
  }

  /** Appends a copy of `bytes` and returns its offset. @throws DiscoError `disk-full`. */
  append(bytes: Uint8Array): number {
    const at = this.length;
    if (this.#pendingLength + bytes.length > gatherBytes) this.flush();
    if (bytes.length >= gatherBytes) {
      this.#write(bytes);
    } else {
      this.#pending.set(bytes, this.#pendingLength);
      this.#pendingLength += bytes.length;
    }
    return at;
  }

  /** Everything appended is in the file when this returns (in the system's cache, not yet on the disk). */
  flush(): void {
    if (this.#pendingLength === 0) return;
    const length = this.#pendingLength;
    this.#pendingLength = 0;
    this.#write(this.#pending.subarray(0, length));
  }

  /** Gives up what was appended since the file had this length: the output of a failed attempt. */
  truncate(length: number): void {
    this.flush();
    if (length >= this.#length) return;
    fs.ftruncateSync(this.#fd, length);
    this.#length = length;
  }

  /** Waits until the disk has it. */
  sync(): void {
    this.flush();
    fs.fdatasyncSync(this.#fd);
  }

  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    fs.closeSync(this.#fd);
  }

  /** Closes and deletes; what was gathered is dropped. */
  remove(): void {
    this.#pendingLength = 0;
    this.close();
    fs.rmSync(this.path, { force: true });
  }

  #write(bytes: Uint8Array): void {
    try {
      writeAll(this.#fd, bytes, this.#length);
    } catch (error) {
      // What fitted in is room that somebody else may need.
      fs.ftruncateSync(this.#fd, this.#length);
      throw diskError(error, this.path);
    }
    this.#length += bytes.length;
  }
}

let scratchCount = 0;

/** Writes all of it: a write to a disk that is nearly full may be short. */
export function writeAll(fd: number, bytes: Uint8Array, position: number | null): void {
  let done = 0;
  while (done < bytes.length) {
    done += fs.writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}

/** An error of the file system in Disco's terms. */
export function diskError(error: unknown, file: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== "ENOSPC" && code !== "EDQUOT" && code !== "EFBIG") return error;
  const reason =
    code === "ENOSPC" ? "no space left on the disk" : code === "EDQUOT" ? "disk quota exceeded" : "file too large";
  return new DiscoError(`cannot write ${file}: ${reason}`, {
    code: "disk-full",
    retry: "elsewhere",
    hint: "Free some space, or purge jobs whose results are no longer needed.",
    cause: error,
  });
}
