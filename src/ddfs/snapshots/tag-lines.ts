/**
 * All tags as bytes, and back: what is kept on nodes, for the day on which the journal is gone.
 *
 * ```
 *   {"disco-tags":1,"cluster":ID,"at":MS,"gc":N,"tags":N}      gzip of lines of JSON
 *   {"name":…,"id":…,"modifiedAt":…,"attributes":[…],"readToken":…,"writeToken":…,"pieces":2}
 *   "URLS\nURLS"                                               pieces of the list of URLs, the oldest first
 *   "URLS"
 *   …
 *   {"end":N}
 * ```
 * Who may read blobs may read this one. So tokens are not in it, but what a token can be compared with (`hiddenToken`).
 */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import type { TagsSnapshot } from "../../core/ddfs/tags.ts";
import { DataError } from "../../errors.ts";
import { hiddenToken } from "../tag-access.ts";

const version = 1;
/** Bytes that go to the compressor at once, so that others have their turns in between. */
const chunkLength = 64 * 1024;
/** Most is repeated from line to line: the fastest finds it. */
const level = 1;

export type SavedTag = Omit<TagsSnapshot["tags"][number], "urls">;

export interface SavedHead {
  readonly cluster: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly gc: number;
  readonly tags: number;
}

/** Tags as they are when this is called; compressed as they are read. */
export function tagBytes(from: TagsSnapshot, at: number): Readable {
  const lines = Readable.from(chunks(linesOf(from, at)), { objectMode: false });
  const zipped = createGzip({ level });
  lines.on("error", (error) => zipped.destroy(error));
  return lines.pipe(zipped);
}

/**
 * The head, then tags, each with its pieces. The caller reads pieces as they come, and has all of it only when this ends without an error.
 * @throws DataError `bad-snapshot` when it is not whole, or not of this version; what the body throws
 */
export async function* readTagBytes(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<SavedHead | { readonly tag: SavedTag; readonly urls: readonly string[] }, void, undefined> {
  const unzipped = createGunzip();
  const source = Readable.from(body, { objectMode: false });
  source.on("error", (error) => unzipped.destroy(error));
  const lines = createInterface({ input: source.pipe(unzipped), crlfDelay: Number.POSITIVE_INFINITY });
  const next = lines[Symbol.asyncIterator]();
  const line = async (): Promise<unknown> => {
    const { value, done } = await next.next();
    if (done === true) throw bad("it ends in the middle");
    return JSON.parse(value);
  };
  let tags = 0;
  try {
    // Lines only end, whatever the reason; and what the sum at the end says is known after the last line.
    const whole = finished(unzipped);
    const failed = new Promise<never>((_resolve, reject) => void whole.catch(reject));
    failed.catch(() => undefined);
    const head = headOf(await Promise.race([line(), failed]));
    yield head;
    for (;;) {
      const entry = await Promise.race([line(), failed]);
      if (!isRecord(entry)) throw bad("a line of it is no tag");
      if (typeof entry["end"] === "number") {
        if (entry["end"] !== tags || tags !== head.tags) throw bad("tags are missing");
        const { done } = await Promise.race([next.next(), failed]);
        if (done !== true) throw bad("it goes on behind its end");
        await whole;
        return;
      }
      const { pieces, ...tag } = entry as unknown as SavedTag & { pieces: number };
      const urls: string[] = [];
      for (let i = 0; i < pieces; i++) urls.push(String(await Promise.race([line(), failed])));
      tags++;
      yield { tag, urls };
    }
  } catch (error) {
    throw error instanceof DataError ? error : bad((error as Error).message, error);
  } finally {
    lines.close();
    source.destroy();
    unzipped.destroy();
  }
}

function* linesOf({ cluster, gc, tags }: TagsSnapshot, at: number): Generator<string> {
  yield JSON.stringify({ "disco-tags": version, cluster, at, gc, tags: tags.length });
  for (const { urls, readToken, writeToken, ...tag } of tags) {
    const tokens = { readToken: hiddenToken(tag.name, readToken), writeToken: hiddenToken(tag.name, writeToken) };
    yield JSON.stringify({ ...tag, ...tokens, pieces: urls.length });
    for (const text of urls) yield JSON.stringify(text);
  }
  yield JSON.stringify({ end: tags.length });
}

async function* chunks(lines: Iterable<string>): AsyncGenerator<Buffer> {
  let some: string[] = [];
  let length = 0;
  for (const line of lines) {
    some.push(line, "\n");
    length += line.length + 1;
    if (length < chunkLength) continue;
    yield Buffer.from(some.join(""));
    [some, length] = [[], 0];
    await new Promise((resolve) => setImmediate(resolve));
  }
  yield Buffer.from(some.join(""));
}

function headOf(line: unknown): SavedHead {
  if (!isRecord(line) || typeof line["disco-tags"] !== "number") throw bad("it does not begin as one");
  if (line["disco-tags"] > version) throw bad(`it has version ${line["disco-tags"]}, this software reads ${version}`);
  const { cluster, at, gc, tags } = line;
  if (typeof cluster !== "string" || typeof at !== "number" || typeof gc !== "number" || typeof tags !== "number")
    throw bad("its first line is not whole");
  return { cluster, at, gc, tags };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function bad(why: string, cause?: unknown): DataError {
  return new DataError(`this is no snapshot of tags: ${why}`, { code: "bad-snapshot", retry: "elsewhere", cause });
}
