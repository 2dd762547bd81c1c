/**
 * Bytes on their way into a file: summed up and counted while the chunks before them are being written, many at a time. The system is
 * made to write to the disk as they come, so that the last sync has little left to do.
 *
 * A failed sync is believed, whichever it was: the page cache may have dropped what it could not write, so the upload has failed.
 */
import { createHash } from "node:crypto";
import { DiscoError } from "../../errors.ts";
import type { Expected } from "../blobs.ts";
import type { DiskFile } from "./disk.ts";
import type { Sum } from "./layout.ts";

/** Chunks of a socket are small: they are written so many bytes at a time. */
const writeBytes = 1024 * 1024;
/** After so many bytes the disk is told to begin. */
const syncBytes = 64 * 1024 * 1024;

/** Writes all of it and syncs. @throws DiscoError `cut-off`, `digest-mismatch`; what the file or the body throws */
export async function upload(
  object: string,
  file: DiskFile,
  body: AsyncIterable<Uint8Array>,
  expected: Expected,
): Promise<Sum> {
  const hash = createHash("sha256");
  const writer = new Writer(file);
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.byteLength;
      if (expected.size !== undefined && size > expected.size) throw cutOff(object, size, expected.size);
      const waiting = writer.add(chunk);
      hash.update(chunk);
      if (waiting !== null) await waiting;
    }
    if (expected.size !== undefined && size !== expected.size) throw cutOff(object, size, expected.size);
  } finally {
    // Nobody closes a file that is being written to.
    await writer.settled();
  }
  await writer.end();
  const digest = hash.digest("hex");
  if (expected.digest !== undefined && expected.digest !== digest) {
    throw new DiscoError(`the bytes of ${object} that arrived have another digest than those that were sent`, {
      code: "digest-mismatch",
      retry: "here",
    });
  }
  return { digest, size };
}

class Writer {
  readonly #file: DiskFile;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #unsyncedBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> | null = null;

  constructor(file: DiskFile) {
    this.#file = file;
  }

  /** To be waited for before more is added; `null`: there is no need to. */
  add(chunk: Uint8Array): Promise<void> | null {
    this.#batch.push(chunk);
    this.#batchBytes += chunk.byteLength;
    return this.#batchBytes < writeBytes ? null : this.#flush();
  }

  /** All is on the disk. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#writing;
    await this.#syncing;
    await this.#file.sync();
  }

  /** Nothing is being written any more, whatever became of it. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#syncing?.catch(() => undefined);
  }

  /** One write is on its way at a time; resolves when this one is. */
  async #flush(): Promise<void> {
    await this.#writing;
    const batch = this.#batch;
    this.#unsyncedBytes += this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#writing = this.#file.write(batch);
    // Whoever waits for it hears of it.
    this.#writing.catch(() => undefined);
    if (this.#unsyncedBytes < syncBytes) return;
    this.#unsyncedBytes = 0;
    await this.#syncing;
    this.#syncing = this.#file.sync();
    this.#syncing.catch(() => undefined);
  }
}

function cutOff(object: string, size: number, announced: number): DiscoError {
  return new DiscoError(`${size} bytes of ${object} arrived, ${announced} were announced`, {
    code: "cut-off",
    retry: "here",
  });
}
