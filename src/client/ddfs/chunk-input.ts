/**
 * Inputs of `DDFS.chunk` as records, by the batch.
 *
 *   default      compressed? then decompressed. Blocks of Disco's own: their records. Else text: its lines
 *   reader       compressed? then decompressed. What the reader gives
 *   inputStream  the bytes as they are, through the whole chain
 *
 * A record is a pair. What a reader gives that is none (a line, say) is the key of a record whose value is null.
 *
 * Local files are read synchronously, a piece at a time; everything else as it comes. Readers of users may be able to read synchronously only,
 * as they do in workers: what comes over a network lies in a temporary file before they see it.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFile, parseFileUrl } from "../../schemes/file.ts";
import type { ByteSource } from "../../schemes/scheme.ts";
import { ownRecipe } from "../../worker/own.ts";
import { chainReader } from "../../worker/streams/chain.ts";
import { gzipReader, zstdReader } from "../../worker/streams/compressed.ts";
import { type Compression, compressionHeadBytes, compressionOf } from "../../worker/streams/compression.ts";
import { type AnyInputStream, openChain } from "../../worker/streams/input-chain.ts";
import { LineDecoder, mapLineReader } from "../../worker/streams/lines.ts";
import type { Stream } from "../../worker/streams/stream.ts";
import { batchesInTime, type RecordBatch } from "../result-records.ts";
import type { DdfsApi } from "./ddfs-api.ts";
import { readReplicas, shuffled } from "./replica-reader.ts";
import { saveChunks } from "./saved-file.ts";

export interface Reading {
  readonly reader: AnyInputStream | undefined;
  readonly inputStream: readonly AnyInputStream[] | undefined;
  readonly params: unknown;
}

/** Where the bytes of one input are. */
export type InputBytes =
  | { readonly kind: "file"; readonly address: string }
  | { readonly kind: "replicas"; readonly urls: readonly string[] }
  | { readonly kind: "stream"; readonly name: string; open(): AsyncIterable<Uint8Array> };

type Bytes = AsyncIterable<Uint8Array>;

/** @throws DataError, CommError where it cannot be read; what readers throw */
export async function* recordsOf(
  api: Pick<DdfsApi, "openBlob">,
  input: InputBytes,
  reading: Reading,
  signal: AbortSignal,
): AsyncGenerator<RecordBatch, void> {
  const url = nameOf(input);
  if (input.kind === "file") {
    const head = headOf(parseFileUrl(input.address).path);
    if (reading.inputStream !== undefined || compressionOf(head) === null) {
      yield* fileBatches(openFile(url, parseFileUrl(input.address)), readersFor(head, reading), reading);
      return;
    }
  }
  const [head, bytes] = await peek(bytesOf(api, input, signal));
  const compression = reading.inputStream === undefined ? compressionOf(head) : null;
  const plain = compression === null ? bytes : inflated(bytes, compression, url);
  const readers = compression === null ? readersFor(head, reading) : readersFor(new Uint8Array(0), reading);
  if (readers[0] === lines && readers.length === 1) yield* lineBatches(plain, url);
  else if (readers.every((reader) => ownRecipe(reader) !== undefined))
    yield* batchesInTime(
      opened({ url, size: 0, [Symbol.asyncIterator]: () => plain[Symbol.asyncIterator]() }, readers, reading),
    );
  else yield* spooledBatches(plain, url, readers, reading);
}

/** What errors say of an input. */
export function nameOf(input: InputBytes): string {
  return input.kind === "file" ? input.address : input.kind === "stream" ? input.name : (input.urls[0] ?? "");
}

const lines = mapLineReader as unknown as AnyInputStream;

function readersFor(head: Uint8Array, { reader, inputStream }: Reading): readonly AnyInputStream[] {
  const own = [...(inputStream ?? []), ...(reader === undefined ? [] : [reader])];
  if (own.length > 0) return own;
  return isBlocks(head) ? [chainReader as unknown as AnyInputStream] : [lines];
}

/** `DBk`, and the version. */
function isBlocks([a, b, c]: Uint8Array): boolean {
  return a === 0x44 && b === 0x42 && c === 0x6b;
}

function bytesOf(api: Pick<DdfsApi, "openBlob">, input: InputBytes, signal: AbortSignal): Bytes {
  if (input.kind === "stream") return input.open();
  return readReplicas(api, input.kind === "file" ? [input.address] : shuffled(input.urls), { signal });
}

function opened(source: object, readers: readonly AnyInputStream[], { params }: Reading): Stream<unknown> {
  const chain = readers.map((fn) => ({ name: fn.name || "reader", fn }));
  return openChain(source as ByteSource, chain, params ?? {});
}

function fileBatches(
  file: ByteSource,
  readers: readonly AnyInputStream[],
  reading: Reading,
): AsyncGenerator<RecordBatch, void> {
  return batchesInTime(opened(file, readers, reading));
}

/** A promise for each chunk, and not for each line. */
async function* lineBatches(bytes: Bytes, url: string): AsyncGenerator<RecordBatch, void> {
  const decoder = new LineDecoder(url);
  for await (const chunk of bytes) {
    const entries = decoder.push(chunk);
    if (entries.length > 0) yield { entries, n: entries.length };
  }
  const entries = decoder.end();
  if (entries.length > 0) yield { entries, n: entries.length };
}

async function* spooledBatches(
  bytes: Bytes,
  url: string,
  readers: readonly AnyInputStream[],
  reading: Reading,
): AsyncGenerator<RecordBatch, void> {
  const folder = await mkdtemp(join(tmpdir(), "disco-chunk-"));
  try {
    const path = join(folder, "input");
    await saveChunks(path, bytes);
    yield* fileBatches(openFile(url, { path, from: 0, to: null }), readers, reading);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function inflated(bytes: Bytes, compression: Compression, url: string): Bytes {
  const inflate = compression === "gzip" ? gzipReader : zstdReader;
  return inflate(bytes as never, 0, url) as unknown as Bytes;
}

/** The first bytes of a stream, and the same stream from its start. */
async function peek(bytes: Bytes): Promise<[head: Uint8Array, bytes: Bytes]> {
  const chunks = bytes[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < compressionHeadBytes) {
    const step = await chunks.next();
    if (step.done === true) break;
    // Who made the stream may use its memory again for the next piece.
    first.push(Uint8Array.from(step.value));
    length += step.value.length;
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      yield* first;
      for (let step = await chunks.next(); step.done !== true; step = await chunks.next()) yield step.value;
    } finally {
      await chunks.return?.();
    }
  }
  return [Buffer.concat(first).subarray(0, compressionHeadBytes), whole()];
}

function headOf(path: string): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const head = Buffer.alloc(compressionHeadBytes);
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } finally {
    closeSync(fd);
  }
}
