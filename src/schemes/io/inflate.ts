/**
 * Decompression with backpressure, exact offsets in errors, and a stop to bombs. gzip members and zstd frames may follow one
 * another, as `cat a.gz b.gz` makes them.
 *
 * What was used up is given back at once. Left to the garbage collector, which sees small objects and not the memory behind
 * them, buffers of 300 MB of data grew to 90 MB before they were collected.
 */
import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { ChunkWriter } from "./chunk-writer.ts";
import { chunkBytes, type InflateFormat, IoError } from "./messages.ts";
import { ZstdFrames } from "./zstd-frames.ts";

/** Data that grows by more than this, and to more than `bombBytes`, was made to fill a disk. */
const ratioMax = 1000;
const bombBytes = 256 * 1024 * 1024;

const create: Readonly<Record<InflateFormat, () => Transform>> = {
  gzip: () => createGunzip({ chunkSize: chunkBytes }),
  deflate: () => createInflate({ chunkSize: chunkBytes }),
  br: () => createBrotliDecompress({ chunkSize: chunkBytes }),
  zstd: () => createZstdDecompress({ chunkSize: chunkBytes }),
};

export class Inflater {
  readonly #format: InflateFormat;
  readonly #name: string;
  readonly #out: ChunkWriter;
  readonly #frames: ZstdFrames | null;
  #member: Member | null = null;
  #bytesIn = 0;
  /** Where the last chunk began. */
  #chunkStart = 0;
  #bytesOut = 0;

  constructor(format: InflateFormat, name: string, out: ChunkWriter) {
    this.#format = format;
    this.#name = name;
    this.#out = out;
    this.#frames = format === "zstd" ? new ZstdFrames() : null;
  }

  /** Resolves when the chunk is used up, which waits for the reader. */
  async write(chunk: Uint8Array): Promise<void> {
    const start = this.#bytesIn;
    this.#chunkStart = start;
    this.#bytesIn += chunk.length;
    if (this.#frames === null) {
      await this.#writeMember(chunk);
      return;
    }
    // Node's zstd stream stops after a frame without a word about what follows: each frame gets a stream of its own.
    for (const part of this.#frames.split(chunk)) {
      if (part.kind === "bad") throw this.#error(start + part.at, "it is not zstd data");
      if (part.kind === "end") await this.#endMember();
      else await this.#writeMember(part.bytes);
    }
  }

  async end(): Promise<void> {
    if (this.#frames?.insideFrame === true) throw this.#error(this.#bytesIn, "it is cut off");
    await this.#endMember();
  }

  close(): void {
    this.#member?.stream.destroy();
  }

  async #writeMember(bytes: Uint8Array): Promise<void> {
    this.#member ??= this.#open();
    const member = this.#member;
    await new Promise<void>((resolve, reject) => {
      member.rejectWrite = reject;
      if (member.failure !== null) reject(member.failure);
      else member.stream.write(bytes, (error) => (error ? reject(this.#translate(error)) : resolve()));
    });
  }

  async #endMember(): Promise<void> {
    const member = this.#member;
    this.#member = null;
    if (member === null) return;
    await new Promise<void>((resolve, reject) => {
      member.rejectWrite = reject;
      if (member.failure !== null) reject(member.failure);
      member.stream.once("end", resolve);
      member.stream.end();
    });
  }

  #open(): Member {
    const member: Member = { stream: create[this.#format](), failure: null, rejectWrite: null };
    const fail = (error: Error): void => {
      member.failure ??= error;
      member.rejectWrite?.(member.failure);
    };
    member.stream.on("error", (error) => fail(this.#translate(error)));
    // The stream fills one buffer after the other: with the first bytes of the next, nobody has the last any more.
    let filled: ArrayBufferLike | null = null;
    member.stream.on("data", (bytes: Uint8Array) => {
      if (filled !== null && filled !== bytes.buffer) release(filled);
      filled = bytes.buffer;
      this.#bytesOut += bytes.length;
      if (this.#bytesOut > bombBytes && this.#bytesOut > this.#bytesIn * ratioMax) {
        member.stream.destroy();
        fail(this.#error(this.#bytesIn, `it grows to more than ${ratioMax} times its size`, "decompression-bomb"));
        return;
      }
      member.stream.pause();
      this.#out.write(bytes).then(() => member.stream.resume(), fail);
    });
    return member;
  }

  #translate(error: Error): IoError {
    if (error instanceof IoError) return error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "Z_BUF_ERROR" || /unexpected end/.test(error.message))
      return this.#error(this.#bytesIn, "it is cut off");
    // The decompressor does not say where in a chunk it stopped.
    const place = `${this.#chunkStart} to ${this.#bytesIn}`;
    return this.#error(place, `it is damaged or not ${this.#format} data (${error.message})`);
  }

  #error(place: number | string, what: string, code = "bad-compressed"): IoError {
    const message = `${this.#name}: ${this.#format} data, near compressed byte ${place}: ${what}`;
    return new IoError({ kind: "data", code, message });
  }
}

/** Gives the memory of a buffer back, now; it is empty from here on. */
export function release(buffer: ArrayBufferLike): void {
  // A buffer of the size of Node's pool, or below, may be shared with others.
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}

interface Member {
  readonly stream: Transform;
  failure: Error | null;
  rejectWrite: ((error: Error) => void) | null;
}
