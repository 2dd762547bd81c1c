/**
 * A blob on its way into S3. What fits into one part is one request; the rest is sent in parts while it comes, a few at once.
 *
 * Memory is what limits uploads: each part waits in memory until the server has it. All uploads of a store share so many parts; who
 * cannot have one reads no further, and its sender waits.
 */
import { createHash } from "node:crypto";
import type { Bare } from "../../s3/address.ts";
import { digestAside, digestMeta } from "../../s3/blob-digest.ts";
import type { S3Connection } from "../../s3/connection.ts";
import {
  abortUpload,
  beginUpload,
  completeUpload,
  partsMax,
  type Upload,
  type UploadedPart,
  uploadPart,
} from "../../s3/uploads.ts";

/** Of all uploads together: at 8 MiB each, 128 MiB. */
const partsInMemoryMax = 16;
/** Of one upload on their way at once. */
const partsAtOnceMax = 3;
const partBytesMin = 8 * 1024 * 1024;
const growthBytes = 64 * 1024;

/** Room for parts in memory. */
export class PartRoom {
  #free = partsInMemoryMax;
  readonly #waiting: (() => void)[] = [];

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}

/** Large enough that as many parts as S3 allows are enough, where the size is known. */
export function partBytesFor(size: number | undefined): number {
  return Math.max(partBytesMin, Math.ceil((size ?? 0) / (partsMax - 1)));
}

export class Incoming {
  readonly #connection: S3Connection;
  readonly #at: Bare;
  readonly #room: PartRoom;
  readonly #partBytes: number;
  readonly #hash = createHash("sha256");
  readonly #sending = new Set<Promise<unknown>>();
  readonly #parts: UploadedPart[] = [];
  #part: Buffer<ArrayBuffer> | null = null;
  #used = 0;
  #count = 0;
  #upload: Upload | null = null;
  #failure: unknown = null;
  size = 0;

  constructor(connection: S3Connection, at: Bare, room: PartRoom, expectedSize: number | undefined) {
    this.#connection = connection;
    this.#at = at;
    this.#room = room;
    this.#partBytes = partBytesFor(expectedSize);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.size += chunk.length;
    for (let at = 0; at < chunk.length; ) {
      if (this.#used === this.#partBytes) await this.#sendPart();
      const part = await this.#roomFor(chunk.length - at);
      const copied = Math.min(chunk.length - at, part.length - this.#used);
      part.set(chunk.subarray(at, at + copied), this.#used);
      this.#used += copied;
      at += copied;
    }
  }

  /** SHA-256 in hex. Nothing is written after this. */
  digest(): string {
    return this.#hash.digest("hex");
  }

  /** All of it, where that is no more than one part; `null`: it is on its way in parts. */
  get only(): Uint8Array<ArrayBuffer> | null {
    return this.#upload === null ? (this.#part ?? Buffer.alloc(0)).subarray(0, this.#used) : null;
  }

  /** What is still here is sent. */
  async flush(): Promise<void> {
    if (this.#used > 0) await this.#sendPart();
    await Promise.all(this.#sending);
    if (this.#failure !== null) throw this.#failure;
  }

  /** As `completeUpload`; what had been sent in parts is flushed. */
  async complete(): Promise<"done" | "there" | "gone"> {
    if (this.#upload === null) return "gone";
    const parts = this.#parts.sort((a, b) => a.number - b.number);
    return await completeUpload(this.#connection, this.#upload, parts);
  }

  /** Nothing of it stays, unless it was completed. Parts that cannot be removed now are swept later. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#sending);
    if (this.#part !== null) this.#room.giveBack();
    this.#part = null;
    if (this.#upload !== null) await abortUpload(this.#connection, this.#upload).catch(() => undefined);
  }

  /** Memory grows with what comes: most blobs are small. */
  async #roomFor(bytes: number): Promise<Buffer<ArrayBuffer>> {
    if (this.#part === null) await this.#room.take();
    const wanted = Math.min(this.#used + Math.max(bytes, growthBytes), this.#partBytes);
    if (this.#part === null || (this.#part.length < wanted && this.#used === this.#part.length)) {
      const grown = Buffer.alloc(Math.min(Math.max(wanted, this.#used * 2), this.#partBytes));
      this.#part?.copy(grown, 0, 0, this.#used);
      this.#part = grown;
    }
    return this.#part;
  }

  async #sendPart(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    this.#upload ??= await beginUpload(this.#connection, this.#at, { [digestMeta]: digestAside });
    while (this.#sending.size >= partsAtOnceMax) await Promise.race(this.#sending);
    const bytes = (this.#part ?? Buffer.alloc(0)).subarray(0, this.#used);
    this.#part = null;
    this.#used = 0;
    const sending: Promise<unknown> = uploadPart(this.#connection, this.#upload, ++this.#count, bytes)
      .then(
        (part) => this.#parts.push(part),
        (error: unknown) => (this.#failure ??= error),
      )
      .finally(() => {
        this.#room.giveBack();
        this.#sending.delete(sending);
      });
    this.#sending.add(sending);
  }
}
