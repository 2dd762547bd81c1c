/**
 * Readers are written once, as decoders that are pushed chunks of bytes, and run over synchronous and async byte streams
 * alike.
 */
import { BatchIterator } from "./batches.ts";
import { isAsyncIterable, isIterable } from "./stream.ts";

export interface Decoder<T> {
  /** The records that end in this chunk. The chunk is the decoder's to keep. */
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
  #ended = false;

  constructor(stream: Iterable<Uint8Array>, decoder: Decoder<T>, reader: string) {
    super();
    this.#chunks = stream[Symbol.iterator]();
    this.#decoder = decoder;
    this.#reader = reader;
  }

  protected override readBatch(): readonly T[] | null {
    while (!this.#ended) {
      const step = this.#chunks.next();
      let records: readonly T[];
      if (step.done === true) {
        this.#ended = true;
        records = this.#decoder.end();
      } else {
        records = this.#decoder.push(asBytes(step.value, this.#reader));
      }
      if (records.length > 0) return records;
    }
    return null;
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
