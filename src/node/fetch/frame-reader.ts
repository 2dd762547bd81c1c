/** Reads the frames of `protocol/output-frames.ts` from a stream whose chunks may end anywhere. */
import zlib from "node:zlib";
import { badFrame, decodeFrameHeader, type FrameHeader, frameHeaderBytes } from "../../protocol/output-frames.ts";

export interface Frame extends FrameHeader {
  readonly head: Buffer;
}

export class FrameReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);
  #sum = 0;
  #dataLeft = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next frame; its data must be read before it can be believed. @throws DataError `bad-frame`, also where the stream ends */
  async next(): Promise<Frame> {
    const header = decodeFrameHeader(await this.#exactly(frameHeaderBytes));
    const head = await this.#exactly(header.headBytes);
    this.#sum = zlib.crc32(head);
    this.#dataLeft = header.dataBytes;
    return { ...header, head };
  }

  /** The frame's data to its end, and then its checksum. A piece is valid until the next. */
  async *data(): AsyncGenerator<Buffer, void, undefined> {
    while (this.#dataLeft > 0) {
      if (this.#chunk.length === 0) await this.#fill();
      const bytes = this.#take(Math.min(this.#chunk.length, this.#dataLeft));
      this.#dataLeft -= bytes.length;
      this.#sum = zlib.crc32(bytes, this.#sum);
      yield bytes;
    }
    const expected = (await this.#exactly(4)).readUInt32LE(0);
    if (expected !== this.#sum) throw badFrame("its checksum differs: it was damaged on the way");
  }

  /** The last frame's end, and the stream's. */
  async end(): Promise<void> {
    for await (const _ of this.data());
    if (this.#chunk.length > 0 || (await this.#chunks.next()).done !== true)
      throw badFrame("more follows the last one");
  }

  async #exactly(length: number): Promise<Buffer> {
    if (this.#chunk.length >= length) return this.#take(length);
    // Gathered as it comes: a length that is not true costs no memory.
    const parts: Buffer[] = [];
    for (let left = length; left > 0; ) {
      if (this.#chunk.length === 0) await this.#fill();
      const part = this.#take(Math.min(this.#chunk.length, left));
      left -= part.length;
      parts.push(part);
    }
    return Buffer.concat(parts, length);
  }

  #take(length: number): Buffer {
    const bytes = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(length);
    return bytes;
  }

  async #fill(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done === true) throw badFrame("the stream ends in the middle");
    this.#chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
}
