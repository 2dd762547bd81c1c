/** The netstring pairs of Disco: `len SP key SP len SP value LF`, lengths in bytes, decimal. */
import { DataError, DiscoError } from "../../errors.ts";
import { own } from "../own.ts";
import { type Decoder, decode, joinBytes } from "./decoder.ts";
import type { ByteSink } from "./stream.ts";

const space = 32;
const newline = 10;
/** Digits of a length: 1 GiB has ten. */
const digitsMax = 10;
const stringBytesMax = 1024 * 1024 * 1024;

class NetstrDecoder implements Decoder<[string, string]> {
  readonly #url: string;
  #left: Uint8Array = new Uint8Array(0);
  #offset = 0;
  /** Bytes the pair at the front needs at least; saves looking again at a long one for each chunk. */
  #needed = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;

  constructor(url: string) {
    this.#url = url;
  }

  push(chunk: Uint8Array): readonly [string, string][] {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#left.length + this.#waitingBytes < this.#needed) return [];
    const bytes = joinBytes(this.#left, this.#waiting.length === 1 ? chunk : Buffer.concat(this.#waiting));
    this.#waiting = [];
    this.#waitingBytes = 0;
    const pairs: [string, string][] = [];
    let at = 0;
    for (;;) {
      const key = this.#string(bytes, at, at, space);
      if (key === null) break;
      const value = this.#string(bytes, key.end, at, newline);
      if (value === null) break;
      pairs.push([key.text, value.text]);
      at = value.end;
    }
    this.#left = bytes.subarray(at);
    this.#offset += at;
    return pairs;
  }

  end(): readonly [string, string][] {
    if (this.#left.length + this.#waitingBytes > 0) throw this.#error(this.#offset, "the last pair is cut off");
    return [];
  }

  /** One `len SP bytes end`; `null` when it is not there yet. */
  #string(bytes: Uint8Array, at: number, pairStart: number, end: number): { text: string; end: number } | null {
    let length = 0;
    let i = at;
    for (; i < bytes.length && bytes[i] !== space; i++) {
      const digit = (bytes[i] as number) - 48;
      if (digit < 0 || digit > 9 || i - at >= digitsMax) throw this.#error(this.#offset + i, "a length was expected");
      length = length * 10 + digit;
    }
    if (i === at && i < bytes.length) throw this.#error(this.#offset + i, "a length was expected");
    if (length > stringBytesMax) throw this.#error(this.#offset + at, `length ${length} is over ${stringBytesMax}`);
    const stop = i + 1 + length;
    if (stop >= bytes.length) {
      this.#needed = i < bytes.length ? stop + 1 - pairStart : 0;
      return null;
    }
    if (bytes[stop] !== end) throw this.#error(this.#offset + stop, "a separator was expected");
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + i + 1, length).toString("utf8");
    return { text, end: stop + 1 };
  }

  #error(offset: number, what: string): DataError {
    return new DataError(`${this.#url}, byte ${offset}: not a netstring pair: ${what}`, {
      code: "bad-record",
      url: this.#url,
    });
  }
}

/** Entries are pairs of strings in netstring form. */
export const netstrReader = own(
  "netstrReader",
  (stream: Iterable<Uint8Array>, _size: number, url: string, _params?: unknown): IterableIterator<[string, string]> =>
    decode(stream, new NetstrDecoder(url), "netstrReader"),
);

/** Writes a pair in netstring form. Key and value are strings; numbers and booleans are written as text. */
export const netstrWriter = own(
  "netstrWriter",
  (stream: ByteSink, key: unknown, value: unknown, _params?: unknown): void => {
    const k = text(key, "key");
    const v = text(value, "value");
    stream.write(`${Buffer.byteLength(k)} ${k} ${Buffer.byteLength(v)} ${v}\n`);
  },
);

function text(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  throw new DiscoError(`netstrWriter: a ${what} of type ${value === null ? "null" : typeof value} is not text`, {
    code: "bad-value",
    hint: "Emit strings, or write with objectWriter.",
  });
}
