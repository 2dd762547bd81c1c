/**
 * Lines of text, the default reader of `map`.
 *
 * A chunk is cut at its last line end, decoded and split as a whole, and what follows waits for the next chunk, so that no
 * character is ever cut. What counts as text: UTF-8, lines ended by LF or CRLF, the last one with or without. A byte order
 * mark at the start is skipped; bytes that are not UTF-8 become U+FFFD. Data that is plainly something else (UTF-16,
 * gzip, a NUL byte near the start) is refused rather than read as garbage; `lineReader({ encoding: "latin1" })` reads
 * any bytes, one character a byte.
 */
import { isAscii } from "node:buffer";
import { DiscoError } from "../../errors.ts";
import { own } from "../own.ts";
import { type Decoder, decode } from "./decoder.ts";
import { checkTextStart, isLaterPart, lineBytesMax, lineTooLong } from "./text-start.ts";

const newline = 10;
const carriageReturn = 13;
/** Memory for lines that are cut by the end of a chunk. What a longer one needed is let go of with it. */
const tailBytesMin = 1024;
const tailBytesKept = 256 * 1024;

export interface LineOptions {
  /** `utf8` (default): as above. `latin1`: each byte a character, nothing is refused or replaced. */
  readonly encoding?: "utf8" | "latin1";
}

export class LineDecoder implements Decoder<string> {
  readonly copies = true;
  readonly #url: string;
  readonly #latin1: boolean;
  /** Memory for a line that has begun; `#tailBytes` of it are used. */
  #tail: Buffer = Buffer.alloc(0);
  #tailBytes = 0;
  #started: boolean;

  constructor(url: string, options: LineOptions = {}) {
    this.#url = url;
    this.#latin1 = options.encoding === "latin1";
    this.#started = isLaterPart(url);
  }

  push(chunk: Uint8Array): readonly string[] {
    let bytes = chunk;
    if (!this.#started && bytes.length > 0) {
      this.#started = true;
      if (!this.#latin1) bytes = checkTextStart(this.#url, bytes);
    }
    const last = bytes.lastIndexOf(newline);
    if (last === -1) {
      this.#keep(bytes);
      return [];
    }
    if (this.#tailBytes === 0) {
      const lines = this.#split(bytes.subarray(0, last));
      this.#keep(bytes.subarray(last + 1));
      return lines;
    }
    const first = bytes.indexOf(newline);
    this.#keep(bytes.subarray(0, first));
    const head = this.#takeTail();
    this.#keep(bytes.subarray(last + 1));
    if (first === last) return head;
    const lines = this.#split(bytes.subarray(first + 1, last));
    lines.unshift(head[0] as string);
    return lines;
  }

  end(): readonly string[] {
    return this.#tailBytes === 0 ? [] : this.#takeTail();
  }

  /** The line that began in an earlier chunk. */
  #takeTail(): string[] {
    const line = this.#split(this.#tail.subarray(0, this.#tailBytes));
    this.#tailBytes = 0;
    if (this.#tail.length > tailBytesKept) this.#tail = Buffer.alloc(0);
    return line;
  }

  #decode(bytes: Uint8Array): string {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#latin1 || isAscii(buffer) ? buffer.toString("latin1") : buffer.toString("utf8");
  }

  #split(bytes: Uint8Array): string[] {
    const text = this.#decode(bytes);
    const lines = text.split("\n");
    if (text.includes("\r")) {
      for (let i = 0; i < lines.length; i++) {
        const line = lines[i] as string;
        if (line.charCodeAt(line.length - 1) === carriageReturn) lines[i] = line.slice(0, -1);
      }
    }
    return lines;
  }

  /** Copies what a line begins with, or goes on with. */
  #keep(bytes: Uint8Array): void {
    const needed = this.#tailBytes + bytes.length;
    if (needed > lineBytesMax) throw lineTooLong(this.#url);
    if (needed > this.#tail.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#tail.length, tailBytesMin));
      this.#tail.copy(larger, 0, 0, this.#tailBytes);
      this.#tail = larger;
    }
    this.#tail.set(bytes, this.#tailBytes);
    this.#tailBytes = needed;
  }
}

/** Entries are the lines of a text, without their line ends. The default reader of `map`. */
export const mapLineReader = own(
  "mapLineReader",
  (stream: Iterable<Uint8Array>, _size: number, url: string, _params?: unknown): IterableIterator<string> =>
    decode(stream, new LineDecoder(url), "mapLineReader"),
);

/** `mapLineReader` with options. */
export function lineReader(options: LineOptions = {}): typeof mapLineReader {
  if (options.encoding !== undefined && options.encoding !== "utf8" && options.encoding !== "latin1") {
    throw new DiscoError(`lineReader: encoding ${JSON.stringify(options.encoding)} is neither "utf8" nor "latin1"`, {
      code: "bad-option",
    });
  }
  return own(
    "lineReader",
    (stream: Iterable<Uint8Array>, _size: number, url: string, _params?: unknown): IterableIterator<string> =>
      decode(stream, new LineDecoder(url, options), "lineReader"),
    [options],
  );
}
