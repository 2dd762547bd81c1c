/**
 * What users push, as a list of sources: each has a name and can be opened. Files can be opened again when a node fails; so can what
 * is in memory, and what a function makes anew. A stream cannot.
 */
import { createReadStream, type Stats, statSync } from "node:fs";
import { glob } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { DataError } from "../../errors.ts";
import { badOption } from "../bad-option.ts";
import { isGlob } from "../local-files.ts";
import { shown } from "../option-checks.ts";
import { assertBlobName, safeName } from "./tag-address.ts";

/** Pieces of a stream; text is UTF-8. */
export type BlobChunks = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/** What a blob is to hold. Text is UTF-8; a function is called again when a node failed, and begins anew. */
export type BlobData = string | Uint8Array | ArrayBuffer | Blob | BlobChunks | (() => BlobChunks | Promise<BlobChunks>);

/**
 * A path or a glob; a path and the name that the blob is to have; or contents with a name. Blobs of paths are called as the file is,
 * made safe as Disco does.
 */
export type PushFile =
  | string
  | URL
  | readonly [path: string | URL, name: string]
  | {
      readonly name: string;
      readonly data: BlobData;
      /** Bytes of a stream, where they are known: for progress, and so that one that is cut off is no blob. */
      readonly size?: number | undefined;
    };

export interface PushSource {
  /** What the blob will be called. */
  readonly name: string;
  /** For messages: the path, or the name. */
  readonly shown: string;
  /** Bytes; `null`: not known. */
  readonly size: number | null;
  /** It can be opened more than once. */
  readonly again: boolean;
  open(): AsyncIterable<Uint8Array>;
}

/** Large enough that calls are nothing; small enough for many uploads at once. */
const chunkBytes = 1024 * 1024;
const stdinHint = "Push a stream instead: { name, data: process.stdin }.";

/** @throws JobError `bad-option`; DataError `no-such-file`, `is-directory`, `no-permission`; DiscoError `bad-name` */
export async function listSources(files: unknown): Promise<PushSource[]> {
  const list = Array.isArray(files) ? files : [files];
  const sources: PushSource[] = [];
  for (const [i, file] of list.entries()) sources.push(...(await sourcesOf(file, `files[${i}]`)));
  if (sources.length === 0) throw badOption("files: an empty list was given, there is nothing to push");
  return sources;
}

async function sourcesOf(file: unknown, place: string): Promise<PushSource[]> {
  if (typeof file === "string" || file instanceof URL) return await filesAt(file, place);
  if (Array.isArray(file)) {
    const [path, name, ...more] = file as unknown[];
    if (more.length > 0 || !(typeof path === "string" || path instanceof URL) || typeof name !== "string")
      throw badFile(file, place);
    assertBlobName(name, place);
    const found = await filesAt(path, place);
    if (found.length !== 1) throw badOption(`${place}: ${path} matches ${found.length} files, and one name was given`);
    return found.map((source) => ({ ...source, name }));
  }
  if (typeof file !== "object" || file === null) throw badFile(file, place);
  const { name, data, size, ...others } = file as { name?: unknown; data?: unknown; size?: unknown };
  if (typeof name !== "string" || Object.keys(others).length > 0) throw badFile(file, place);
  assertBlobName(name, place);
  if (size !== undefined && (!Number.isSafeInteger(size) || (size as number) < 0))
    throw badOption(`${place}.size: a number of bytes was expected, not ${shown(size)}`);
  return [contents(name, data, (size as number | undefined) ?? null, place)];
}

function badFile(got: unknown, place: string): Error {
  return badOption(
    `${place}: a path, [path, name] or { name, data } was expected, not ${shown(got)}`,
    "data may be text, bytes, a stream, or a function that opens one.",
  );
}

async function filesAt(address: string | URL, place: string): Promise<PushSource[]> {
  const path = pathOf(address, place);
  if (!isGlob(path)) return [fileSource(path, statOf(path))];
  const sources: PushSource[] = [];
  for await (const found of glob(path)) {
    const stats = statSync(found, { throwIfNoEntry: false });
    if (stats?.isFile() === true) sources.push(fileSource(found, stats));
  }
  if (sources.length === 0) {
    throw new DataError(`no file matches ${path}`, {
      code: "no-such-file",
      retry: "never",
      hint: `It was looked for in ${process.cwd()}.`,
    });
  }
  return sources.sort((a, b) => (a.shown < b.shown ? -1 : 1));
}

function pathOf(address: string | URL, place: string): string {
  const text = String(address);
  if (/^file:/i.test(text)) return fileURLToPath(text);
  if (text === "" || text.includes("\0")) throw badFile(address, place);
  if (!/^[a-zA-Z][a-zA-Z0-9+.-]+:\/\//.test(text)) return text;
  throw badOption(
    `${place}: ${text} is not a file`,
    "What lies elsewhere is linked as it is, by ddfs.tag(tag, [[url]]), or read and split by ddfs.chunk.",
  );
}

function statOf(path: string): Stats {
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw unreadable(path, error);
  }
  if (found === undefined) {
    const looked = path === resolve(path) ? "Check the path." : `It was looked for at ${resolve(path)}.`;
    const hint = path === "-" ? stdinHint : looked;
    throw new DataError(`no such file: ${path}`, { code: "no-such-file", retry: "never", hint });
  }
  if (!found.isDirectory()) return found;
  throw new DataError(`${path} is a directory`, {
    code: "is-directory",
    retry: "never",
    hint: `Push its files: ${path.replace(/\/+$/, "")}/**`,
  });
}

function fileSource(path: string, stats: Stats): PushSource {
  const regular = stats.isFile();
  return {
    name: safeName(basename(resolve(path))).slice(0, 511),
    shown: path,
    size: regular ? stats.size : null,
    again: regular,
    open: () => readFile(path),
  };
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: chunkBytes }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): DataError {
  const { code, message } = error as NodeJS.ErrnoException;
  const details = { retry: "never", cause: error } as const;
  if (code === "EACCES" || code === "EPERM")
    return new DataError(`no permission to read ${path}`, { ...details, code: "no-permission" });
  return new DataError(`${path} cannot be read: ${message}`, { ...details, code: "no-such-file" });
}

function contents(name: string, data: unknown, size: number | null, place: string): PushSource {
  const source = (open: () => AsyncIterable<Uint8Array>, known: number | null, again: boolean): PushSource => {
    if (size !== null && known !== null && size !== known)
      throw badOption(`${place}.size: ${size} was given, and data has ${known} bytes`);
    return { name, shown: name, size: known ?? size, again, open };
  };
  const bytes = bytesOf(data);
  if (bytes !== null) return source(() => asBytes([bytes], name), bytes.length, true);
  if (data instanceof Blob) return source(() => asBytes(data.stream(), name), data.size, true);
  if (typeof data === "function") return source(() => opened(data as () => unknown, name), null, true);
  if (isChunks(data)) return source(() => asBytes(data, name), null, false);
  throw badOption(
    `${place}.data: text, bytes, a stream or a function that opens one was expected, not ${shown(data)}`,
    "A file is pushed by its path: push(tag, [path]), or [path, name].",
  );
}

function bytesOf(data: unknown): Uint8Array | null {
  if (typeof data === "string") return Buffer.from(data);
  if (data instanceof Uint8Array) return data;
  return data instanceof ArrayBuffer ? new Uint8Array(data) : null;
}

function isChunks(data: unknown): data is BlobChunks {
  return typeof data === "object" && data !== null && (Symbol.asyncIterator in data || Symbol.iterator in data);
}

async function* opened(open: () => unknown, name: string): AsyncGenerator<Uint8Array> {
  const stream = await open();
  const bytes = bytesOf(stream);
  if (bytes !== null) yield bytes;
  else if (isChunks(stream)) {
    // Who made the stream may use its memory again, and a node still has this to take.
    for await (const chunk of asBytes(stream, name)) yield Uint8Array.from(chunk);
  } else throw notBytes(name, stream);
}

async function* asBytes(chunks: unknown, name: string): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks as BlobChunks) {
    const bytes = bytesOf(chunk);
    if (bytes === null) throw notBytes(name, chunk);
    // Nodes take pieces as they are: one of a gigabyte would be there several times.
    for (let from = 0; from < bytes.length; from += chunkBytes)
      yield bytes.length <= chunkBytes ? bytes : bytes.subarray(from, from + chunkBytes);
  }
}

function notBytes(name: string, got: unknown): DataError {
  return new DataError(`${name}: bytes or text were expected of its data, not ${shown(got)}`, {
    code: "bad-data",
    retry: "never",
  });
}
