/**
 * Text that may be compressed, as blobs are that were pushed as they were: their names do not tell. The first bytes do: gzip and zstd
 * have marks that no text begins with.
 */
import { lend } from "../../schemes/scheme.ts";
import { own } from "../own.ts";
import { gzipReader, zstdReader } from "./compressed.ts";
import { isAsyncIterable, isIterable, isLender } from "./stream.ts";

type Chunks = Iterable<Uint8Array>;
type Inflate = (stream: Chunks, size: number, url: string) => Chunks;

const marks: readonly (readonly [mark: readonly number[], inflate: Inflate])[] = [
  [[0x1f, 0x8b], gzipReader],
  [[0x28, 0xb5, 0x2f, 0xfd], zstdReader],
];
const markBytesMax = 4;

/** Decompresses what is gzip or zstd, and passes on everything else as it is: the kind of each input is seen by its first bytes. */
export const inflatingReader = own(
  "inflatingReader",
  (stream: Chunks, _size: number, url: string, _params?: unknown): Chunks => {
    const blocking = isIterable(stream) ? { [Symbol.iterator]: () => inflated(stream, url) } : {};
    const lending = isLender(stream) ? { [lend]: () => inflated(stream[lend](), url) } : {};
    const waiting = isAsyncIterable(stream)
      ? { [Symbol.asyncIterator]: () => inflatedLater(stream as AsyncIterable<Uint8Array>, url) }
      : {};
    return { ...blocking, ...lending, ...waiting } as unknown as Chunks;
  },
);

/** A mark that is cut by the end of a chunk is waited for. */
function* inflated(stream: Chunks, url: string): Generator<Uint8Array, void> {
  const chunks = stream[Symbol.iterator]();
  try {
    let start: Uint8Array = new Uint8Array(0);
    while (start.length < markBytesMax) {
      const { done, value } = chunks.next();
      if (done === true) break;
      // Lent memory is overwritten by the next chunk.
      start = start.length === 0 && value.length >= markBytesMax ? value : joined(start, value);
    }
    const rest: Chunks = { [Symbol.iterator]: () => chunks };
    const inflate = inflaterOf(start);
    if (inflate !== null) {
      yield* inflate(following(start, rest), 0, url);
      return;
    }
    if (start.length > 0) yield start;
    yield* rest;
  } finally {
    chunks.return?.();
  }
}

function* following(start: Uint8Array, rest: Chunks): Generator<Uint8Array, void> {
  yield start;
  yield* rest;
}

async function* inflatedLater(stream: AsyncIterable<Uint8Array>, url: string): AsyncGenerator<Uint8Array, void> {
  const chunks = stream[Symbol.asyncIterator]();
  try {
    let start: Uint8Array = new Uint8Array(0);
    while (start.length < markBytesMax) {
      const { done, value } = await chunks.next();
      if (done === true) break;
      start = start.length === 0 ? value : joined(start, value);
    }
    const rest: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => chunks };
    const inflate = inflaterOf(start);
    if (inflate !== null) {
      // Of an asynchronous stream it makes one.
      const bytes = inflate(followingLater(start, rest) as unknown as Chunks, 0, url);
      yield* bytes as unknown as AsyncIterable<Uint8Array>;
      return;
    }
    if (start.length > 0) yield start;
    yield* rest;
  } finally {
    await chunks.return?.();
  }
}

async function* followingLater(start: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield start;
  yield* rest;
}

function inflaterOf(start: Uint8Array): Inflate | null {
  return marks.find(([mark]) => mark.every((byte, i) => start[i] === byte))?.[1] ?? null;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Buffer.concat([a, b]);
}
