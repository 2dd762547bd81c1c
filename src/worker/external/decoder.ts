/**
 * Result lists as an external program writes them: `<number of pairs>`, then so many pairs `<key size><key><value size><value>`,
 * all numbers 32-bit little-endian. Bytes come in chunks that know nothing of lists; pairs go out as soon as they are whole, so that
 * a list may be larger than memory, and only a pair that is not whole is kept.
 *
 * Most text is ASCII: then a chunk is made one string, and items are slices of it, which cost neither a call into native code nor a
 * copy. All else is decoded item by item, and must be UTF-8: replacement characters would be a silent loss.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { DiscoError } from "../../errors.ts";
import type { ExternalForm } from "../../protocol/job-data.ts";
import { describe } from "../describe.ts";
import { recordTooLarge } from "../storage/record-limit.ts";

/** Pairs of one list, as in Disco. */
export const pairsMax = 1_000_000;
/** Shown of what is no list. */
const shownBytes = 60;

export interface ListSink {
  pair(key: string | Uint8Array, value: string | Uint8Array): void;
  /** A list is complete; `bytes` of it, its number of pairs included. */
  list(bytes: number): void;
}

export interface DecoderOptions {
  readonly keys: ExternalForm;
  readonly values: ExternalForm;
  readonly recordBytesMax: number;
}

export class ListDecoder {
  readonly #sink: ListSink;
  readonly #keys: ExternalForm;
  readonly #values: ExternalForm;
  readonly #recordBytesMax: number;
  /** What is not a whole number or pair yet, and how much it needs to be one. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #needed = 4;
  /** Of the current list: pairs that were announced, and are missing. */
  #announced = 0;
  #missing = 0;
  #listBytes = 0;
  #isAscii = false;
  #text = "";
  /** The first number. */
  #head: number | null = null;

  constructor(sink: ListSink, options: DecoderOptions) {
    this.#sink = sink;
    this.#keys = options.keys;
    this.#values = options.values;
    this.#recordBytesMax = options.recordBytesMax;
  }

  /** What is half-read, in words; `null`: nothing, the last list is whole. */
  get unfinished(): string | null {
    if (this.#missing > 0) {
      const whole = (this.#announced - this.#missing).toLocaleString("en-US");
      const announced = this.#announced.toLocaleString("en-US");
      const half = this.#pendingBytes > 0 ? ` and ${this.#pendingBytes} bytes of the next` : "";
      return `in the middle of a list: ${announced} pairs were announced, ${whole} came${half}`;
    }
    return this.#pendingBytes > 0 ? `in the middle of the number that begins a list` : null;
  }

  /** Its output begins as its input does: with the line of the parameters, `0` and a line feed, where a list should. */
  get copies(): boolean {
    return this.#head !== null && (this.#head & 0xffff) === noParams;
  }

  /** Throws `DiscoError` `external-protocol`, `external-text`, `record-too-large`, and whatever the sink throws. */
  push(bytes: Buffer): void {
    let chunk = bytes;
    if (this.#pendingBytes > 0) {
      this.#pending.push(chunk);
      this.#pendingBytes += chunk.length;
      if (this.#pendingBytes < this.#needed) return;
      chunk = Buffer.concat(this.#pending, this.#pendingBytes);
    }
    this.#isAscii = (this.#keys === "text" || this.#values === "text") && isAscii(chunk);
    this.#text = this.#isAscii ? chunk.toString("latin1") : "";
    const at = this.#read(chunk);
    this.#text = "";
    const rest = chunk.subarray(at);
    this.#pending = rest.length === 0 ? [] : [rest];
    this.#pendingBytes = rest.length;
  }

  /** Reads what is whole; returns where the rest begins. */
  #read(chunk: Buffer): number {
    const end = chunk.length;
    let at = 0;
    for (;;) {
      this.#needed = 4;
      if (end - at < 4) return at;
      if (this.#missing === 0) {
        this.#begin(chunk, at);
        at += 4;
        continue;
      }
      const keyBytes = uint32(chunk, at);
      if (keyBytes > this.#recordBytesMax) throw this.#tooLarge(chunk, at, "key", keyBytes);
      const keyAt = at + 4;
      const valueAt = keyAt + keyBytes + 4;
      this.#needed = valueAt - at;
      if (end < valueAt) return at;
      const valueBytes = uint32(chunk, valueAt - 4);
      if (keyBytes + valueBytes > this.#recordBytesMax) throw this.#tooLarge(chunk, at, "value", valueBytes);
      const next = valueAt + valueBytes;
      this.#needed = next - at;
      if (end < next) return at;
      const key = this.#item(chunk, keyAt, valueAt - 4, this.#keys, "key");
      this.#sink.pair(key, this.#item(chunk, valueAt, next, this.#values, "value"));
      this.#listBytes += next - at;
      at = next;
      if (--this.#missing === 0) this.#sink.list(this.#listBytes);
    }
  }

  #begin(chunk: Buffer, at: number): void {
    const pairs = uint32(chunk, at);
    this.#head ??= pairs;
    if (pairs > pairsMax) throw noList(chunk.subarray(at), pairs);
    this.#announced = pairs;
    this.#missing = pairs;
    this.#listBytes = 4;
    if (pairs === 0) this.#sink.list(4);
  }

  #item(chunk: Buffer, from: number, to: number, form: ExternalForm, part: string): string | Uint8Array {
    if (form === "bytes") return new Uint8Array(chunk.subarray(from, to));
    if (this.#isAscii) return this.#text.slice(from, to);
    const text = chunk.toString("utf8", from, to);
    if (text.includes("\ufffd") && !isUtf8(chunk.subarray(from, to))) throw notText(chunk.subarray(from, to), part);
    return text;
  }

  /** A size above the limit is either that, or no size at all: a program that prints is the usual reason. */
  #tooLarge(chunk: Buffer, at: number, part: "key" | "value", bytes: number): DiscoError {
    const sizeAt = part === "key" ? at : at + 4 + uint32(chunk, at);
    if (this.copies) {
      return new DiscoError("the external program wrote what it read where a result list was expected", {
        code: "external-protocol",
        hint: copyHint,
      });
    }
    const text = printed(chunk.subarray(sizeAt));
    if (text !== null || bytes > itemBytesMax) {
      const shown = text === null ? "" : ` (${describe(text)})`;
      return new DiscoError(
        `the external program wrote a ${part} size of ${bytes.toLocaleString("en-US")} bytes${shown}`,
        {
          code: "external-protocol",
          hint: garbageHint,
        },
      );
    }
    const keyEnd = at + 4 + (part === "key" ? 0 : uint32(chunk, at));
    const key = part === "key" ? "(not read)" : chunk.subarray(at + 4, keyEnd).toString();
    return recordTooLarge(key, bytes, this.#recordBytesMax);
  }
}

/** A key or a value, whatever the memory limit is: as in Disco. */
const itemBytesMax = 1024 ** 3;

/** `0` and a line feed, as a number begins with them. */
const noParams = 0x0a30;

export const copyHint =
  "It reads records as if they were lines of text: before them come the parameters (0 and a line feed), and each begins with its size. " +
  "docs/external.md has the format, and examples.";

const garbageHint =
  "A result list is the number of its pairs, then each pair; sizes are 32-bit little-endian. What a program has to say goes to stderr.";

function noList(bytes: Buffer, pairs: number): DiscoError {
  const text = printed(bytes);
  if (text !== null) {
    return new DiscoError(
      `the external program wrote ${describe(text)} where the number of pairs of a result list was expected`,
      {
        code: "external-protocol",
        hint: garbageHint,
      },
    );
  }
  const max = pairsMax.toLocaleString("en-US");
  return new DiscoError(
    `the external program announced a result list of ${pairs.toLocaleString("en-US")} pairs; ${max} are allowed`,
    {
      code: "external-protocol",
      hint: `A reduce may write several lists. ${garbageHint}`,
    },
  );
}

function notText(bytes: Buffer, part: string): DiscoError {
  const shown = bytes.subarray(0, shownBytes / 3).toString("hex");
  return new DiscoError(`the external program wrote a ${part} of ${bytes.length} bytes that is not UTF-8: ${shown}`, {
    code: "external-text",
    hint: `Write external([…], { ${part}s: "bytes" }): ${part}s are then of class Uint8Array.`,
  });
}

/** The printable text at the beginning of `bytes`, if there are at least four characters of it. */
function printed(bytes: Buffer): string | null {
  let end = 0;
  while (end < bytes.length && end < shownBytes && isPrintable(bytes[end] as number)) end++;
  return end < 4 ? null : bytes.toString("latin1", 0, end);
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function uint32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return (low | ((bytes[at + 3] as number) << 24)) >>> 0;
}
