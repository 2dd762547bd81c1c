/** `ddfs push`: files, folders, standard input, and what is in tar archives, as blobs of a tag. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { glob, readdir } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { addAbortSignal } from "node:stream";
import { createGzip } from "node:zlib";
import { DDFS } from "../../client/ddfs/ddfs.ts";
import type { PushOptions as ClientOptions } from "../../client/ddfs/ddfs-options.ts";
import { DiscoError } from "../../errors.ts";
import { type Counter, openCounter } from "./counter.ts";
import { type StoreOptions, withDdfs } from "./open-ddfs.ts";
import { stoppable } from "./stoppable.ts";
import { keptBlobs, reportBlobs } from "./stored-report.ts";
import { tagNameOf } from "./tag-names.ts";
import { openArchives } from "./tar-archives.ts";

/** Of `push` and `chunk`. */
export interface StoringOptions extends StoreOptions {
  readonly replicas?: number;
  readonly minReplicas?: number;
  readonly forceon?: readonly string[];
  readonly update?: boolean;
  readonly delayed?: boolean;
  readonly concurrency?: number;
  readonly quiet?: boolean;
}

export interface PushOptions extends StoringOptions {
  readonly recursive?: boolean;
  readonly tarballs?: boolean;
  readonly compress?: boolean;
  /** Part of the path of what is taken, and of what is not. */
  readonly include?: string;
  readonly exclude?: string;
  /** Of standard input, and of a single file. */
  readonly name?: string;
}

/** Something to push, where it begins and ends known. */
export interface Source {
  readonly name: string;
  /** For patterns and messages. */
  readonly path: string;
  /** Bytes; `null`: not known. */
  readonly size: number | null;
  open(): AsyncIterable<Uint8Array>;
}

const readBytes = 1024 * 1024;
/** As Disco compresses: the network is to wait for the disk, not for this. */
const gzipLevel = 2;

export async function pushFiles(word: string, files: readonly string[], options: PushOptions): Promise<void> {
  const tag = tagNameOf(word);
  await stoppable(async (signal) => {
    await using archives = openArchives();
    const sources: Source[] = [];
    for (const file of files) {
      if (options.tarballs === true) sources.push(...(await archives.members(file, signal)));
      else sources.push(...(await sourcesAt(file, options, signal)));
    }
    const chosen = named(
      sources.filter(({ path }) => isChosen(path, options)),
      options,
    );
    if (chosen.length === 0) {
      throw new DiscoError("there is nothing to push", {
        code: "nothing-to-push",
        hint:
          sources.length > 0 ? "--include and --exclude leave nothing." : "Name files, or folders with --recursive.",
      });
    }
    if (options.update === true) assertNamesDiffer(chosen);
    const counter = openCounter(`push ${tag}`, "bytes", options);
    try {
      const stored = await withDdfs(options, async (open) => {
        const [, blobs] = await open.ddfs.push(
          tag,
          chosen.map((source) => toPush(source, options.compress === true)),
          { ...clientOptions(options, counter), signal },
        );
        return await keptBlobs(open, tag, blobs, options);
      });
      counter.close();
      reportBlobs(tag, stored, counter.done, options);
    } finally {
      counter.close();
    }
  });
}

/** Options of the client's own methods, and what tells how far they are. */
export function clientOptions(options: StoringOptions, counter: Counter): ClientOptions {
  const { replicas, minReplicas, forceon, update, delayed, concurrency } = options;
  return {
    replicas,
    minReplicas,
    forceon,
    update,
    delayed,
    concurrency,
    progress: ({ bytesSent, bytesTotal }) => {
      counter.total(bytesTotal);
      counter.at(bytesSent);
    },
  };
}

async function sourcesAt(file: string, options: PushOptions, signal: AbortSignal): Promise<Source[]> {
  if (file === "-")
    return [{ name: "stdin", path: "-", size: null, open: () => addAbortSignal(signal, process.stdin) }];
  if (!existsSync(file)) {
    // A pattern that the shell has left; a file that is called so was found above.
    const matches = /[*?[{]/.test(file) ? (await Array.fromAsync(glob(file))).sort() : [];
    const found = await Promise.all(matches.map((match) => sourcesAt(match, options, signal)));
    if (matches.length > 0) return found.flat();
    throw new DiscoError(`no such file: ${file}`, {
      code: "no-such-file",
      hint: `It was looked for at ${resolve(file)}.`,
    });
  }
  if (!statSync(file).isDirectory()) return [fileAt(file, basename(resolve(file)))];
  if (options.recursive === true) return await filesBelow(file);
  process.stderr.write(`${file} is a folder: not pushed (--recursive)\n`);
  return [];
}

/** Blobs are called as their files are from the folder on, so that two of one name stay two. */
async function filesBelow(folder: string): Promise<Source[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .sort()
    .map((path) => fileAt(path, relative(folder, path)));
}

function fileAt(path: string, name: string): Source {
  const stats = statSync(path);
  const size = stats.isFile() ? stats.size : null;
  return { name, path, size, open: () => createReadStream(path, { highWaterMark: readBytes }) };
}

function isChosen(path: string, { include, exclude }: PushOptions): boolean {
  return (include === undefined || path.includes(include)) && (exclude === undefined || !path.includes(exclude));
}

/** The names that blobs are to have: as Disco makes them safe. @throws DiscoError `bad-argument` */
function named(sources: readonly Source[], { name, compress }: PushOptions): Source[] {
  if (name !== undefined && sources.length !== 1) {
    throw new DiscoError(`--name is for one blob, and there are ${sources.length}`, {
      code: "bad-argument",
      hint: "Push the files one by one.",
    });
  }
  const suffix = compress === true ? "_gz" : "";
  return sources.map((source) => {
    const safe = name ?? DDFS.safeName(source.name);
    // The end of a long path is what tells it from others.
    return { ...source, name: (name === undefined ? safe.slice(-nameRoom) : safe) + suffix };
  });
}

/** `--update` keeps one blob of a name: of two files the other one would be nowhere. @throws DiscoError `bad-argument` */
function assertNamesDiffer(sources: readonly Source[]): void {
  const paths = new Map<string, string>();
  for (const { name, path } of sources) {
    const other = paths.get(name);
    if (other !== undefined) {
      throw new DiscoError(`${other} and ${path} would both be the blob ${name}, and --update keeps one of a name`, {
        code: "bad-argument",
        hint: "Push them without --update, one by one with --name, or their folder with --recursive.",
      });
    }
    paths.set(name, path);
  }
}

/** Of the 511 characters that a name may have, some are left for `_gz`. */
const nameRoom = 500;

function toPush(
  { name, path, size, open }: Source,
  compress: boolean,
): { name: string; data: AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>); size?: number } {
  // Standard input comes once; a file can be read again when a node fails.
  const isOnce = path === "-";
  if (compress) {
    const packed = (): AsyncIterable<Uint8Array> => gzipped(open());
    return { name, data: isOnce ? packed() : packed };
  }
  return { name, data: isOnce ? open() : open, ...(size === null ? {} : { size }) };
}

async function* gzipped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { Readable, pipeline } = await import("node:stream");
  const gzip = createGzip({ level: gzipLevel, chunkSize: readBytes });
  // What fails on the way in comes out of the stream that is read.
  pipeline(Readable.from(bytes, { objectMode: false }), gzip, () => {});
  yield* gzip as AsyncIterable<Buffer>;
}
