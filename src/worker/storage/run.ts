/** Reading runs: consecutive blocks in a file, one block at a time. */
import fs from "node:fs";
import { DataError } from "../../errors.ts";
import { blockHeaderBytes, decodeBlock, readBlockHeader } from "../../protocol/block.ts";
import { StringPool } from "../../protocol/string-pool.ts";
import { type SizedBatch, TextBatch } from "./batch.ts";
import { LostOutput, type TaskOutputRef } from "./lost-output.ts";

/** Consecutive blocks. */
export interface Run {
  /** Absolute path. */
  readonly file: string;
  readonly files: OpenFiles;
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  readonly records: number;
  readonly sorted: boolean;
  /** The output it belongs to; `null`: a scratch file of this process. */
  readonly origin: TaskOutputRef | null;
}

/** Files open for reading, each once. */
export class OpenFiles {
  readonly #fds = new Map<string, number>();
  readonly #borrowed = new Set<string>();

  open(file: string): number {
    let fd = this.#fds.get(file);
    if (fd === undefined) {
      fd = fs.openSync(file, "r");
      this.#fds.set(file, fd);
    }
    return fd;
  }

  /** A file that somebody else has open (and perhaps deleted) and will close. */
  lend(file: string, fd: number): void {
    this.#fds.set(file, fd);
    this.#borrowed.add(file);
  }

  close(): void {
    for (const [file, fd] of this.#fds) if (!this.#borrowed.has(file)) fs.closeSync(fd);
    this.#fds.clear();
    this.#borrowed.clear();
  }
}

/** Blocks are decoded at once after they are read, so all readers of a process share one buffer. */
let shared = Buffer.allocUnsafeSlow(256 * 1024);
/** So do they share strings. */
const strings = new StringPool();
/** A larger buffer is given back after use. */
const sharedBytesMax = 8 * 1024 * 1024;

/** Bytes of the largest block of a run, from the headers of all. @throws as `RunReader`. */
export function largestBlock({ file, files, offset, length, origin }: Run): number {
  const header = Buffer.alloc(blockHeaderBytes);
  let largest = 0;
  try {
    for (let at = offset; at < offset + length; ) {
      readExactly(files.open(file), header, blockHeaderBytes, at, file);
      const bytes = blockHeaderBytes + readBlockHeader(header).storedLength;
      largest = Math.max(largest, bytes);
      at += bytes;
    }
  } catch (error) {
    throw named(error, origin, file);
  }
  return largest;
}

/** The error with the output, or the file, that it is about. */
function named(error: unknown, origin: TaskOutputRef | null, file: string): unknown {
  if (origin !== null) return new LostOutput(origin, error);
  if (!(error instanceof DataError)) return error;
  return new DataError(`${file}: ${error.message}`, { code: error.code, cause: error });
}

/** Gives a run's blocks, decoded, one after the other. */
export class RunReader {
  readonly #run: Run;
  #at: number;
  readonly #end: number;
  #records = 0;

  constructor(run: Run) {
    this.#run = run;
    this.#at = run.offset;
    this.#end = run.offset + run.length;
  }

  /**
   * A block that fits into `place` and is all texts stays there, and is not decoded before somebody looks.
   * @throws LostOutput, or DataError `bad-block` for a file without an origin.
   */
  next(place: Buffer | null = null): SizedBatch | null {
    const { origin, file } = this.#run;
    try {
      return this.#next(place);
    } catch (error) {
      throw named(error, origin, file);
    }
  }

  #next(place: Buffer | null): SizedBatch | null {
    const { file, files, records } = this.#run;
    while (this.#at < this.#end) {
      const fd = files.open(file);
      const left = this.#end - this.#at;
      readExactly(fd, shared, Math.min(blockHeaderBytes, left), this.#at, file);
      const header = readBlockHeader(shared.subarray(0, Math.min(blockHeaderBytes, left)));
      const length = blockHeaderBytes + header.storedLength;
      if (length > left) throw new DataError(`block at byte ${this.#at} is longer than its run`, { code: "bad-block" });
      const batch = this.#read(length, place !== null && length <= place.length ? place : null);
      this.#at += length;
      this.#records += batch.n;
      if (batch.n > 0) return batch;
    }
    if (this.#records !== records) {
      throw new DataError(`${this.#records} records found, ${records} expected`, { code: "bad-block" });
    }
    return null;
  }

  #read(length: number, place: Buffer | null): SizedBatch {
    const { file, files } = this.#run;
    if (place === null && length > shared.length) shared = Buffer.allocUnsafeSlow(Math.max(length, shared.length * 2));
    const bytes = place ?? shared;
    readExactly(files.open(file), bytes, length, this.#at, file);
    const block = decodeBlock(bytes.subarray(0, length), 0, strings);
    const texts = place === null ? null : block.texts();
    if (texts !== null) return new TextBatch(texts, length);
    const batch = { keys: block.keys, values: block.values, n: block.records, bytes: length };
    if (shared.length > sharedBytesMax) shared = Buffer.allocUnsafeSlow(256 * 1024);
    return batch;
  }
}

/** Fills the start of a buffer. @throws DataError `bad-block` when the file is too short. */
export function readExactly(fd: number, buffer: Buffer, length: number, position: number, file: string): void {
  let done = 0;
  while (done < length) {
    const read = fs.readSync(fd, buffer, done, length - done, position + done);
    if (read === 0) {
      const message = `${file} ends at byte ${position + done}, ${length - done} bytes early`;
      throw new DataError(message, { code: "bad-block" });
    }
    done += read;
  }
}
