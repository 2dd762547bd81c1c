/**
 * Text as blocks of whole lines, in bytes: what the built-in maps read instead of `mapLineReader`'s lines. What is text, and what is
 * refused, is the same for both (`streams/text-start.ts`).
 *
 * A chunk is cut at its last line end. What follows waits for the next chunk, and comes, with the end of its line, as a small block of
 * its own, so that large chunks are never copied. Where blocks end depends on the chunks, so nothing that is written may depend on that.
 */
import { own } from "../own.ts";
import { type Decoder, decode } from "../streams/decoder.ts";
import { checkTextStart, isLaterPart, lineBytesMax, lineTooLong } from "../streams/text-start.ts";

const newline = 10;

export class TextBlocks implements Decoder<Uint8Array> {
  /** Blocks are parts of the chunk, but whoever takes them asks for the next chunk when it has done with them (`vector-map.ts`). */
  readonly copies = true;
  readonly #url: string;
  #tail: Uint8Array[] = [];
  #tailBytes = 0;
  #started: boolean;

  constructor(url: string) {
    this.#url = url;
    this.#started = isLaterPart(url);
  }

  push(chunk: Uint8Array): readonly Uint8Array[] {
    let bytes = chunk;
    if (!this.#started && bytes.length > 0) {
      this.#started = true;
      bytes = checkTextStart(this.#url, bytes);
    }
    const end = bytes.lastIndexOf(newline) + 1;
    const blocks: Uint8Array[] = [];
    let from = 0;
    if (end > 0 && this.#tailBytes > 0) {
      from = bytes.indexOf(newline) + 1;
      this.#tail.push(bytes.subarray(0, from));
      blocks.push(...this.end());
    }
    if (from < end) blocks.push(bytes.subarray(from, end));
    if (end < bytes.length) this.#keep(bytes.subarray(end));
    return blocks;
  }

  end(): readonly Uint8Array[] {
    if (this.#tail.length === 0) return [];
    const block = this.#tail.length === 1 ? (this.#tail[0] as Uint8Array) : Buffer.concat(this.#tail);
    this.#tail = [];
    this.#tailBytes = 0;
    return [block];
  }

  #keep(bytes: Uint8Array): void {
    this.#tail.push(Buffer.from(bytes));
    this.#tailBytes += bytes.length;
    if (this.#tailBytes > lineBytesMax) throw lineTooLong(this.#url);
  }
}

/**
 * Entries are blocks of whole lines, valid until the next batch is asked for. Inside of the engine only: a user's function sees
 * lines.
 */
export const textBlockReader = own(
  "textBlockReader",
  (stream: Iterable<Uint8Array>, _size: number, url: string, _params?: unknown): IterableIterator<Uint8Array> =>
    decode(stream, new TextBlocks(url), "mapLineReader"),
);
