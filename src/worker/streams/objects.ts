/** Pairs of any values, each as a length (32 bits, little-endian) and `[key, value]` in the value codec. */
import { DataError } from "../../errors.ts";
import { decodeValue, encodeValue } from "../../protocol/value.ts";
import { own } from "../own.ts";
import { type Decoder, decode } from "./decoder.ts";
import type { ByteSink } from "./stream.ts";

const headerBytes = 4;
const recordBytesMax = 512 * 1024 * 1024;

class ObjectDecoder implements Decoder<[unknown, unknown]> {
  readonly #url: string;
  /** What is left of earlier chunks, joined only when the record at the front is complete: a long one comes in thousands. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #needed = headerBytes;
  #offset = 0;

  constructor(url: string) {
    this.#url = url;
  }

  push(chunk: Uint8Array): readonly [unknown, unknown][] {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes < this.#needed) return [];
    const bytes = this.#waiting.length === 1 ? chunk : Buffer.concat(this.#waiting, this.#waitingBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const pairs: [unknown, unknown][] = [];
    let at = 0;
    this.#needed = headerBytes;
    while (at + headerBytes <= bytes.length) {
      const length = view.getUint32(at, true);
      if (length > recordBytesMax) throw this.#error(at, `a record of ${length} bytes`);
      const end = at + headerBytes + length;
      if (end > bytes.length) {
        this.#needed = end - at;
        break;
      }
      pairs.push(this.#pair(bytes.subarray(at + headerBytes, end), at));
      at = end;
    }
    this.#waiting = at < bytes.length ? [bytes.subarray(at)] : [];
    this.#waitingBytes = bytes.length - at;
    this.#offset += at;
    return pairs;
  }

  end(): readonly [unknown, unknown][] {
    if (this.#waitingBytes > 0) throw this.#error(0, "the last record is cut off");
    return [];
  }

  #pair(bytes: Uint8Array, at: number): [unknown, unknown] {
    let pair: unknown;
    try {
      pair = decodeValue(bytes);
    } catch (error) {
      throw this.#error(at, "a damaged record", error);
    }
    if (!Array.isArray(pair) || pair.length !== 2) throw this.#error(at, "a record that is not a pair");
    return pair as [unknown, unknown];
  }

  #error(at: number, what: string, cause?: unknown): DataError {
    return new DataError(
      `${this.#url}, byte ${this.#offset + at}: ${what}; objectReader reads what objectWriter wrote`,
      {
        code: "bad-record",
        url: this.#url,
        cause,
      },
    );
  }
}

/** Entries are the pairs that `objectWriter` wrote. */
export const objectReader = own(
  "objectReader",
  // What the file holds is known to who wrote it.
  // biome-ignore lint/suspicious/noExplicitAny: as JSON.parse
  (stream: Iterable<Uint8Array>, _size: number, url: string, _params?: unknown): IterableIterator<[any, any]> =>
    decode(stream, new ObjectDecoder(url), "objectReader") as IterableIterator<[unknown, unknown]>,
);

/** Writes a pair of any values that a record may hold. */
export const objectWriter = own(
  "objectWriter",
  (stream: ByteSink, key: unknown, value: unknown, _params?: unknown): void => {
    const bytes = encodeValue([key, value]);
    const header = new Uint8Array(headerBytes);
    new DataView(header.buffer).setUint32(0, bytes.length, true);
    stream.write(header);
    stream.write(bytes);
  },
);
