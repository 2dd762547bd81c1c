/**
 * Chunks to a file. What comes from a network are small pieces, and each write is a journey to another thread: so pieces are written
 * together, while the next ones come.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";

/** Bytes that are written at once, and as many may wait. */
const batchBytes = 1024 * 1024;

/** Writes to a file beside it, and gives it its name when all is written. Returns the number of bytes. */
export async function saveChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const partial = `${path}.partial-${randomUUID().slice(0, 8)}`;
  try {
    const file = await open(partial, "wx");
    const writer = new BatchWriter(file);
    try {
      for await (const chunk of chunks) await writer.add(chunk);
      await writer.end();
    } finally {
      await writer.settled();
      await file.close();
    }
    await rename(partial, path);
    return writer.size;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

class BatchWriter {
  size = 0;
  readonly #file: FileHandle;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.size += chunk.length;
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    if (this.#batchBytes >= batchBytes) await this.#flush();
  }

  async end(): Promise<void> {
    await this.#flush();
    await this.#writing;
  }

  /** Nothing is written any more, whatever became of it. */
  settled(): Promise<void> {
    return this.#writing.catch(() => undefined);
  }

  /** Resolves when the batch before is written. */
  async #flush(): Promise<void> {
    await this.#writing;
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#writing = writeAll(this.#file, batch);
    // It is awaited with the next batch, or at the end.
    this.#writing.catch(() => undefined);
  }
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let left = chunks.filter((chunk) => chunk.length > 0);
  while (left.length > 0) {
    let { bytesWritten } = await file.writev(left);
    const at = left.findIndex((chunk) => {
      if (bytesWritten < chunk.length) return true;
      bytesWritten -= chunk.length;
      return false;
    });
    left = at < 0 ? [] : [(left[at] as Uint8Array).subarray(bytesWritten), ...left.slice(at + 1)];
  }
}
