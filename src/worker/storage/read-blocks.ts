/**
 * Records from a stream of bytes that is blocks one after the other: result files, local or remote. Chunks may end anywhere.
 */
import { DataError } from "../../errors.ts";
import { blockHeaderBytes, decodeBlock, readBlockHeader } from "../../protocol/block.ts";
import { type Batch, type BatchSource, Records } from "./batch.ts";

/** Puts blocks together from chunks. */
class BlockAssembler {
  #chunks: Uint8Array[] = [];
  #length = 0;
  /** Offset in the stream of the first byte that is held. */
  #offset = 0;
  #needed = blockHeaderBytes;

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next block, if all of it is here. @throws DataError `bad-block` with its offset in the stream. */
  take(): Batch | null {
    while (this.#length >= this.#needed) {
      const bytes = this.#joined();
      try {
        this.#needed = blockHeaderBytes + readBlockHeader(bytes).storedLength;
        if (bytes.length < this.#needed) return null;
        const block = decodeBlock(bytes);
        const batch = { keys: block.keys, values: block.values, n: block.records };
        this.#drop(block.length);
        if (batch.n > 0) return batch;
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        throw new DataError(`block at byte ${this.#offset} of the stream: ${error.message}`, {
          code: error.code,
          cause: error,
        });
      }
    }
    return null;
  }

  end(): void {
    if (this.#length === 0) return;
    const missing = this.#needed - this.#length;
    const early = missing === 1 ? "1 byte" : `${missing} bytes`;
    const message = `ends in the middle of a block at byte ${this.#offset + this.#length}, at least ${early} early`;
    throw new DataError(message, { code: "bad-block" });
  }

  #joined(): Uint8Array {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks, this.#length)];
    return this.#chunks[0] as Uint8Array;
  }

  #drop(bytes: number): void {
    const rest = (this.#chunks[0] as Uint8Array).subarray(bytes);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    this.#offset += bytes;
    this.#needed = blockHeaderBytes;
  }
}

/** Records of a synchronous stream of bytes. @throws DataError `bad-block` while reading. */
export function readBlocks<K = unknown, V = unknown>(chunks: Iterable<Uint8Array>): Records<K, V> {
  return new Records<K, V>(new StreamSource(chunks));
}

class StreamSource implements BatchSource {
  readonly #iterator: Iterator<Uint8Array>;
  readonly #assembler = new BlockAssembler();
  #ended = false;

  constructor(chunks: Iterable<Uint8Array>) {
    this.#iterator = chunks[Symbol.iterator]();
  }

  nextBatch(): Batch | null {
    for (;;) {
      if (this.#ended) return null;
      const batch = this.#assembler.take();
      if (batch !== null) return batch;
      const chunk = this.#iterator.next();
      if (chunk.done === true) {
        this.#ended = true;
        this.#assembler.end();
        return null;
      }
      this.#assembler.push(chunk.value);
    }
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#iterator.return?.();
  }
}

/** The batches of an asynchronous stream of bytes, one a block. */
export async function* readBlockBatches(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Batch, void, undefined> {
  const assembler = new BlockAssembler();
  for await (const chunk of chunks) {
    assembler.push(chunk);
    for (let batch = assembler.take(); batch !== null; batch = assembler.take()) yield batch;
  }
  assembler.end();
}

/** The records of an asynchronous stream of bytes. */
export async function* readBlocksAsync<K = unknown, V = unknown>(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<[K, V], void, undefined> {
  for await (const { keys, values, n } of readBlockBatches(chunks)) {
    for (let i = 0; i < n; i++) yield [keys[i] as K, values[i] as V];
  }
}
