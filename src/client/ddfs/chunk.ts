/**
 * `DDFS.chunk`: records of any inputs to blobs of about the same size, which jobs read with `chainReader`, a task for each.
 *
 *   input ─▶ records ─▶ blocks of 1 MiB, compressed ─▶ 64 MiB of them are a blob, which is sent while the next one fills
 *
 * Memory: of each input that is read at once (`concurrency`) the chunk that fills and the one that is sent. No record is cut.
 */
import { basename } from "node:path";
import { blobNameOf } from "../../core/ddfs/names.ts";
import { schemeOf } from "../../schemes/open.ts";
import { badOption } from "../bad-option.ts";
import { expandPath } from "../local-files.ts";
import { shown } from "../option-checks.ts";
import { filesBehind } from "../result-addresses.ts";
import { type InputBytes, type Reading, recordsOf } from "./chunk-input.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import type { DdfsApi } from "./ddfs-api.ts";
import { type ChunkOptions, defaultChunkConcurrency, type Pushed } from "./ddfs-options.ts";
import { inParallel } from "./in-parallel.ts";
import { assertMayChange, Storing } from "./push.ts";
import { listSources, type PushSource } from "./push-source.ts";
import { assertBlobName, isTagLink, safeName, type TagAddress } from "./tag-address.ts";
import { blobsBehind, type WalkOptions } from "./tag-graph.ts";

/** Bytes of compressed records in a blob, by default. */
const usualChunkBytes = 64 * 1024 * 1024;
/** Bytes that a record may take, by default: as long as a line may be. */
const usualRecordBytesMax = 64 * 1024 * 1024;
const nameLengthMax = 480;

interface ChunkSource {
  /** What its chunks are called, with a number each. */
  readonly name: string;
  readonly bytes: InputBytes;
}

/** @throws DiscoError `tag-unauthorized`, `record-too-large`, `bad-value`; what reading throws; as `push` */
export async function chunk(
  api: DdfsApi,
  tag: TagAddress,
  inputs: unknown,
  options: ChunkOptions,
  walking: WalkOptions,
): Promise<Pushed> {
  const sources = await listChunkSources(api, inputs, walking);
  await assertMayChange(api, tag);
  const { reader, inputStream, params } = options;
  const reading = { reader, inputStream, params } as Reading;
  const storing = new Storing(api, options, { blobs: null, bytes: null });
  const many = options.concurrency ?? defaultChunkConcurrency;
  const blobs = await inParallel(sources, many, options.signal, (source, _i, signal) =>
    inParallel(chunksOf(api, source, reading, options, signal), 1, signal, (blob, _n, stop) =>
      storing.store(blob, stop),
    ),
  );
  return await storing.link(tag, blobs.flat());
}

async function* chunksOf(
  api: DdfsApi,
  { name, bytes }: ChunkSource,
  reading: Reading,
  { chunkSize = usualChunkBytes, maxRecordSize = usualRecordBytesMax }: ChunkOptions,
  signal: AbortSignal,
): AsyncGenerator<PushSource, void> {
  const writer = new ChunkWriter(chunkSize, maxRecordSize);
  let n = 0;
  const source = ({ blocks, size }: { readonly blocks: readonly Uint8Array[]; readonly size: number }): PushSource => {
    const blob = `${name}-${n++}`;
    return { name: blob, shown: blob, size, again: true, open: () => each(blocks) };
  };
  try {
    for await (const batch of recordsOf(api, bytes, reading, signal)) {
      signal.throwIfAborted();
      for (let i = 0; i < batch.n; i++) {
        if ("keys" in batch) writer.add(batch.keys[i], batch.values[i]);
        else {
          const entry: unknown = batch.entries[i];
          if (Array.isArray(entry) && entry.length === 2) writer.add(entry[0], entry[1]);
          else writer.add(entry, null);
        }
        const full = writer.takeFull();
        if (full !== null) yield source(full);
      }
    }
    const rest = writer.takeRest();
    if (rest !== null) yield source(rest);
  } finally {
    writer.release();
  }
}

async function* each(blocks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* blocks;
}

/** @throws JobError `bad-option`; as `listSources` and walking tags */
async function listChunkSources(api: DdfsApi, inputs: unknown, walking: WalkOptions): Promise<ChunkSource[]> {
  const list = Array.isArray(inputs) ? inputs : [inputs];
  const sources: ChunkSource[] = [];
  for (const [i, input] of list.entries()) {
    const place = `inputs[${i}]`;
    if (typeof input === "string" || input instanceof URL)
      sources.push(...(await sourcesAt(api, [String(input)], place, walking)));
    else if (Array.isArray(input) && input.length > 0 && input.every((url) => typeof url === "string"))
      sources.push(...(await sourcesAt(api, input as string[], place, walking)));
    else if (typeof input === "object" && input !== null && "data" in input) {
      for (const { name, open } of await listSources([input]))
        sources.push({ name, bytes: { kind: "stream", name, open } });
    } else {
      throw badOption(
        `${place}: an address, a list of replicas or { name, data } was expected, not ${shown(input)}`,
        "Addresses are paths, globs, http://…, tag://… and results of jobs.",
      );
    }
  }
  if (sources.length === 0) throw badOption("inputs: there is nothing to chunk");
  return sources;
}

async function sourcesAt(
  api: DdfsApi,
  replicas: readonly string[],
  place: string,
  walking: WalkOptions,
): Promise<ChunkSource[]> {
  const [url = ""] = replicas;
  if (url.startsWith("tag://") && isTagLink(replicas)) {
    const blobs = await Array.fromAsync(blobsBehind(api, url, walking));
    return blobs.map((urls) => elsewhere(urls));
  }
  if (url.startsWith("dir://")) return (await filesBehind(replicas)).map((file) => elsewhere(file.replicas));
  if (replicas.length > 1 || schemeOf(url) !== "file") return [elsewhere(replicas)];
  const files = await expandPath(url, place);
  return files.map((file) => ({
    name: nameFor(basename(file.url.replace(/#bytes=.*$/, ""))),
    bytes: { kind: "file", address: file.url },
  }));
}

function elsewhere(urls: readonly string[]): ChunkSource {
  return { name: nameFor(blobNameOf(urls[0] ?? "")), bytes: { kind: "replicas", urls } };
}

function nameFor(text: string): string {
  const name = safeName(text).slice(0, nameLengthMax) || "chunk";
  assertBlobName(name, "inputs");
  return name;
}
