/**
 * Records as an external program reads them: `<key size><key><value size><value>`, sizes as 32-bit little-endian numbers.
 *
 * Records are gathered until a chunk is full, so that a system call carries thousands. There are two buffers: one is filled while
 * the other is on its way through the pipe. A record that is larger than a chunk gets a buffer of its own, once.
 */
import { DiscoError } from "../../errors.ts";
import { describe } from "../describe.ts";

/** A chunk goes out when it has so many bytes: about what a pipe takes at once. */
const chunkBytes = 128 * 1024;
/** Room for the record that makes a chunk full. */
const bufferBytes = chunkBytes + 64 * 1024;
/** Below, a loop over the characters is faster than a call into native code. */
const shortChars = 24;
/** UTF-8 of one UTF-16 unit, at most. */
const bytesPerCharMax = 3;

export class PairEncoder {
  readonly #recordBytesMax: number;
  #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #spare = Buffer.allocUnsafeSlow(bufferBytes);
  #used = 0;

  /** `recordBytesMax`: a larger record is refused. */
  constructor(recordBytesMax: number) {
    this.#recordBytesMax = recordBytesMax;
  }

  get isFull(): boolean {
    return this.#used >= chunkBytes;
  }

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  /** Throws `DiscoError` `bad-record`, `record-too-large`. */
  add(key: unknown, value: unknown): void {
    const from = this.#used;
    this.#put(key, "key", key);
    this.#put(value, "value", key);
    if (this.#used - from > this.#recordBytesMax) throw tooLarge(key, this.#used - from, this.#recordBytesMax);
  }

  /** What was added, until the call after the next. */
  take(): Buffer {
    const full = this.#buffer;
    const bytes = full.subarray(0, this.#used);
    this.#buffer = this.#spare;
    this.#spare = full.length === bufferBytes ? full : Buffer.allocUnsafeSlow(bufferBytes);
    this.#used = 0;
    return bytes;
  }

  #put(item: unknown, part: "key" | "value", key: unknown): void {
    if (typeof item === "string") this.#putText(item, part, key);
    else if (item instanceof Uint8Array) this.#putBytes(item, key);
    else if (typeof item === "number" || typeof item === "bigint") this.#putText(String(item), part, key);
    else throw notSendable(part, item, key);
  }

  #putText(text: string, part: string, key: unknown): void {
    const { length } = text;
    if (length > this.#recordBytesMax) throw tooLarge(key, length, this.#recordBytesMax);
    this.#reserve(4 + length * bytesPerCharMax);
    const buffer = this.#buffer;
    const start = this.#used + 4;
    let bytes = 0;
    if (length <= shortChars) {
      for (; bytes < length; bytes++) {
        const unit = text.charCodeAt(bytes);
        if (unit > 0x7f) break;
        buffer[start + bytes] = unit;
      }
    }
    if (bytes < length) {
      bytes = buffer.write(text, start, "utf8");
      if (bytes !== length && !text.isWellFormed()) throw brokenText(part, key);
    }
    this.#size(bytes);
    this.#used = start + bytes;
  }

  #putBytes(bytes: Uint8Array, key: unknown): void {
    const { length } = bytes;
    if (length > this.#recordBytesMax) throw tooLarge(key, length, this.#recordBytesMax);
    this.#reserve(4 + length);
    this.#size(length);
    this.#buffer.set(bytes, this.#used + 4);
    this.#used += 4 + length;
  }

  #size(bytes: number): void {
    const at = this.#used;
    const buffer = this.#buffer;
    buffer[at] = bytes;
    buffer[at + 1] = bytes >>> 8;
    buffer[at + 2] = bytes >>> 16;
    buffer[at + 3] = bytes >>> 24;
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
  }
}

function notSendable(part: string, item: unknown, key: unknown): DiscoError {
  const where = part === "key" ? "" : ` of the key ${describe(key)}`;
  return new DiscoError(`the ${part}${where} is ${describe(item)}: an external program reads text, bytes and numbers`, {
    code: "bad-record",
    hint: "Make it a string or a Uint8Array before, with JSON.stringify for example.",
  });
}

function brokenText(part: string, key: unknown): DiscoError {
  return new DiscoError(
    `the ${part} of the record ${describe(key)} has half a surrogate pair, which UTF-8 cannot express`,
    {
      code: "bad-record",
      hint: "Cut text between characters, or make it well-formed by toWellFormed().",
    },
  );
}

function tooLarge(key: unknown, bytes: number, bytesMax: number): DiscoError {
  const mega = (n: number): string => (n / 2 ** 20).toFixed(1);
  return new DiscoError(
    `the record with the key ${describe(key)} takes ${mega(bytes)} MB, an eighth of the memory limit is ${mega(bytesMax)} MB`,
    { code: "record-too-large", hint: "Split it into several records, or raise memoryLimit." },
  );
}
