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
import { DataError, DiscoError } from "../../errors.ts";
import { own } from "../own.ts";
import { type Decoder, decode } from "./decoder.ts";

/** A longer line is more likely a file that has no lines; strings of V8 end at 512 MiB. */
const lineBytesMax = 64 * 1024 * 1024;
/** Where a NUL byte means "not text", as in grep and git. */
const sniffBytes = 8 * 1024;

/** A part of a file that does not begin at its start (`schemes/file.ts`): what it begins with tells nothing of the whole. */
const laterPart = /#bytes=0*[1-9]\d*-\d+$/;

const newline = 10;
const carriageReturn = 13;

export interface LineOptions {
  /** `utf8` (default): as above. `latin1`: each byte a character, nothing is refused or replaced. */
  readonly encoding?: "utf8" | "latin1";
}

export class LineDecoder implements Decoder<string> {
  readonly #url: string;
  readonly #latin1: boolean;
  #tail: Uint8Array[] = [];
  #tailBytes = 0;
  #started: boolean;

  constructor(url: string, options: LineOptions = {}) {
    this.#url = url;
    this.#latin1 = options.encoding === "latin1";
    this.#started = laterPart.test(url);
  }

  push(chunk: Uint8Array): readonly string[] {
    let bytes = chunk;
    if (!this.#started && bytes.length > 0) {
      this.#started = true;
      if (!this.#latin1) bytes = this.#checkStart(bytes);
    }
    const last = bytes.lastIndexOf(newline);
    if (last === -1) {
      this.#keep(bytes);
      return [];
    }
    let text: string;
    if (this.#tailBytes === 0) {
      text = this.#decode(bytes.subarray(0, last));
    } else {
      const first = bytes.indexOf(newline);
      this.#tail.push(bytes.subarray(0, first));
      const head = this.#decode(Buffer.concat(this.#tail));
      text = first === last ? head : `${head}\n${this.#decode(bytes.subarray(first + 1, last))}`;
      this.#tail = [];
      this.#tailBytes = 0;
    }
    if (last + 1 < bytes.length) this.#keep(bytes.subarray(last + 1));
    return this.#split(text);
  }

  end(): readonly string[] {
    if (this.#tailBytes === 0) return [];
    const text = this.#decode(Buffer.concat(this.#tail));
    this.#tail = [];
    this.#tailBytes = 0;
    return this.#split(text);
  }

  #decode(bytes: Uint8Array): string {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#latin1 || isAscii(buffer) ? buffer.toString("latin1") : buffer.toString("utf8");
  }

  #split(text: string): string[] {
    const lines = text.split("\n");
    if (text.includes("\r")) {
      for (let i = 0; i < lines.length; i++) {
        const line = lines[i] as string;
        if (line.charCodeAt(line.length - 1) === carriageReturn) lines[i] = line.slice(0, -1);
      }
    }
    return lines;
  }

  #keep(bytes: Uint8Array): void {
    this.#tail.push(bytes);
    this.#tailBytes += bytes.length;
    if (this.#tailBytes > lineBytesMax) {
      throw new DataError(`${this.#url}: a line is longer than ${lineBytesMax} bytes`, {
        code: "record-too-long",
        url: this.#url,
        hint: "Read data without lines by another reader: bytesReader, reReader(regexp), netstrReader …",
      });
    }
  }

  #checkStart(bytes: Uint8Array): Uint8Array {
    const [a, b, c, d] = bytes;
    if (a === 0xef && b === 0xbb && c === 0xbf) return bytes.subarray(3);
    if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) throw this.#notText("it is UTF-16");
    if (a === 0x1f && b === 0x8b) {
      throw this.#notText(
        "it is compressed by gzip",
        "Put gzipReader before it: mapInputStream: [gzipReader, mapLineReader].",
      );
    }
    if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) {
      throw this.#notText(
        "it is compressed by zstd",
        "Put zstdReader before it: mapInputStream: [zstdReader, mapLineReader].",
      );
    }
    const nul = bytes.subarray(0, sniffBytes).indexOf(0);
    if (nul !== -1) throw this.#notText(`byte ${nul} is NUL`);
    return bytes;
  }

  #notText(why: string, hint?: string): DiscoError {
    return new DataError(`${this.#url} is not text: ${why}`, {
      code: "not-text",
      url: this.#url,
      hint:
        hint ?? 'Choose a mapReader that fits the data, or lineReader({ encoding: "latin1" }) for lines of any bytes.',
    });
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
