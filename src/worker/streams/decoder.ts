/**
 * Readers are written once, as decoders that are pushed chunks of bytes, and run over synchronous and async byte streams
 * alike.
 */
import { lend } from "../../schemes/scheme.ts";
import { BatchIterator } from "./batches.ts";
import { isAsyncIterable, isIterable, isLender } from "./stream.ts";

/**
 * What a decoder that copies is given at once, at most. As text it takes less than 128 KB, two bytes a character included: V8 gives longer
 * strings pages of their own, which the kernel clears for each one anew. That was a third of the time of a job that only looks at its lines.
 */
const pieceBytes = 48 * 1024;

export interface Decoder<T> {
  /** Neither the decoder nor its records refer to a chunk after `push`: its memory may be used again. Default: they may. */
  readonly copies?: boolean;
  /** The records that end in this chunk. The chunk is the decoder's to keep, but where it `copies`. */
  push(chunk: Uint8Array): readonly T[];
  /** The records that end with the stream; throws when the stream ends in the middle of one. */
  end(): readonly T[];
}

/** Runs a decoder over the stream before it. Only for async streams the result is async. */
export function decode<T>(stream: Iterable<Uint8Array>, decoder: Decoder<T>, reader: string): IterableIterator<T> {
  if (isIterable(stream)) return new DecodedRecords(stream, decoder, reader);
  // The types promise a synchronous stream to keep users' readers simple; an async one works all the same.
  if (isAsyncIterable(stream)) {
    return decodeAsync(stream as AsyncIterable<Uint8Array>, decoder, reader) as unknown as IterableIterator<T>;
  }
  throw notBytes(reader, stream);
}

class DecodedRecords<T> extends BatchIterator<T> {
  readonly #chunks: Iterator<Uint8Array>;
  readonly #decoder: Decoder<T>;
  readonly #reader: string;
  readonly #stepBytes: number;
  /** What the decoder has not been given yet of the last chunk. */
  #left: Uint8Array | null = null;
  #ended = false;

  constructor(stream: Iterable<Uint8Array>, decoder: Decoder<T>, reader: string) {
    super();
    const copies = decoder.copies ?? false;
    this.#chunks = copies && isLender(stream) ? stream[lend]() : stream[Symbol.iterator]();
    this.#stepBytes = copies ? pieceBytes : Number.POSITIVE_INFINITY;
    this.#decoder = decoder;
    this.#reader = reader;
  }

  protected override readBatch(): readonly T[] | null {
    while (!this.#ended) {
      const piece = this.#nextPiece();
      if (piece === null) this.#ended = true;
      const records = piece === null ? this.#decoder.end() : this.#decoder.push(piece);
      if (records.length > 0) return records;
    }
    return null;
  }

  #nextPiece(): Uint8Array | null {
    let bytes = this.#left;
    if (bytes === null) {
      const step = this.#chunks.next();
      if (step.done === true) return null;
      bytes = asBytes(step.value, this.#reader);
    }
    const isWhole = bytes.length <= this.#stepBytes;
    this.#left = isWhole ? null : bytes.subarray(this.#stepBytes);
    return isWhole ? bytes : bytes.subarray(0, this.#stepBytes);
  }

  override return(): IteratorResult<T, undefined> {
    if (!this.#ended) {
      this.#ended = true;
      this.#chunks.return?.();
    }
    return super.return();
  }
}

async function* decodeAsync<T>(
  stream: AsyncIterable<Uint8Array>,
  decoder: Decoder<T>,
  reader: string,
): AsyncGenerator<T, void, undefined> {
  for await (const chunk of stream) yield* decoder.push(asBytes(chunk, reader));
  yield* decoder.end();
}

/** A stream before a reader may also give text, which is read as UTF-8. */
function asBytes(chunk: unknown, reader: string): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === "string") return Buffer.from(chunk);
  throw notBytes(reader, chunk);
}

function notBytes(reader: string, got: unknown): TypeError {
  const what = got === null ? "null" : typeof got === "object" ? "an object" : `a ${typeof got}`;
  return new TypeError(`${reader} reads a stream of byte chunks, but the stream before it gave ${what}`);
}

/** Joins what was left of the chunk before with the next one. */
export function joinBytes(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right;
  const joined = Buffer.allocUnsafe(left.length + right.length);
  joined.set(left);
  joined.set(right, left.length);
  return joined;
}
