/**
 * Decompressing input streams. Node decompresses a stream only asynchronously, so it is done in the I/O thread, a few chunks
 * ahead of the reader and on another core.
 */
import { IoStream } from "../../schemes/io/io-stream.ts";
import type { FromThread, InflateFormat } from "../../schemes/io/messages.ts";
import { own } from "../own.ts";
import { BatchIterator } from "./batches.ts";
import { isAsyncIterable, isIterable } from "./stream.ts";

/** Compressed chunks on their way to the thread. */
const aheadChunks = 4;

class InflatedChunks extends BatchIterator<Uint8Array> {
  readonly #chunks: Iterator<Uint8Array>;
  readonly #stream: IoStream;
  #ahead = 0;
  #inputEnded = false;

  constructor(source: Iterable<Uint8Array>, format: InflateFormat, url: string) {
    super();
    this.#chunks = source[Symbol.iterator]();
    this.#stream = new IoStream(url, { kind: "inflate", name: url, format });
  }

  protected override readBatch(): readonly Uint8Array[] | null {
    for (;;) {
      while (this.#ahead < aheadChunks && !this.#inputEnded) this.#feed();
      const message = this.#stream.receive();
      if (message.kind === "chunk") return [message.chunk];
      if (message.kind === "taken") this.#ahead--;
      if (message.kind === "end") {
        this.#stream.close();
        return null;
      }
    }
  }

  override return(): IteratorResult<Uint8Array, undefined> {
    this.#stream.close();
    if (!this.#inputEnded) this.#chunks.return?.();
    this.#inputEnded = true;
    return super.return();
  }

  #feed(): void {
    const step = this.#chunks.next();
    if (step.done === true) {
      this.#inputEnded = true;
      this.#stream.send({ kind: "input-end" });
      return;
    }
    sendInput(this.#stream, step.value);
    this.#ahead++;
  }
}

async function* inflateAsync(
  source: AsyncIterable<Uint8Array>,
  format: InflateFormat,
  url: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = new IoStream(url, { kind: "inflate", name: url, format });
  const chunks = source[Symbol.asyncIterator]();
  let ahead = 0;
  let inputEnded = false;
  try {
    for (;;) {
      while (ahead < aheadChunks && !inputEnded) {
        const step = await chunks.next();
        if (step.done === true) {
          inputEnded = true;
          stream.send({ kind: "input-end" });
        } else {
          sendInput(stream, step.value);
          ahead++;
        }
      }
      const message: FromThread = await stream.receiveAsync();
      if (message.kind === "chunk") yield message.chunk;
      if (message.kind === "taken") ahead--;
      if (message.kind === "end") return;
    }
  } finally {
    stream.close();
    if (!inputEnded) await chunks.return?.();
  }
}

/** A copy goes to the thread: the chunk may be a part of a buffer that its owner goes on using. */
function sendInput(stream: IoStream, chunk: Uint8Array): void {
  const copy = new Uint8Array(chunk);
  stream.send({ kind: "input", chunk: copy }, [copy.buffer]);
}

function inflate(stream: Iterable<Uint8Array>, format: InflateFormat, url: string): IterableIterator<Uint8Array> {
  if (isIterable(stream)) return new InflatedChunks(stream as Iterable<Uint8Array>, format, url);
  if (isAsyncIterable(stream)) {
    return inflateAsync(stream as AsyncIterable<Uint8Array>, format, url) as unknown as IterableIterator<Uint8Array>;
  }
  throw new TypeError(`${format}Reader reads a stream of byte chunks`);
}

/**
 * Decompresses gzip, also of several members. An input stream for the front of a chain:
 * `mapInputStream: [gzipReader, mapLineReader]`.
 */
export const gzipReader = own(
  "gzipReader",
  (stream: Iterable<Uint8Array>, _size: number, url: string, _params?: unknown): IterableIterator<Uint8Array> =>
    inflate(stream, "gzip", url),
);

/** Decompresses zstd, also of several frames. */
export const zstdReader = own(
  "zstdReader",
  (stream: Iterable<Uint8Array>, _size: number, url: string, _params?: unknown): IterableIterator<Uint8Array> =>
    inflate(stream, "zstd", url),
);
