/**
 * `POST /disco/NODE/hh/JOB/.disco/outputs`: what a task of another node reads of the outputs of this one, all of it in one answer. A
 * reduce reads a few kilobytes of each of thousands of map outputs: a request each would be (maps x reduces) requests.
 *
 * Only files of the job's own `.disco` are read, and only what the directories in them (which have checksums) say is there. What
 * is gone or damaged is said in its place, and does not keep the others back; who asked has it made again.
 */
import type { FileHandle } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import { DataError } from "../../errors.ts";
import { decodeDirectory, encodeDirectory, type LabelExtents } from "../../protocol/output-directory.ts";
import {
  encodeFrame,
  frameHeadBytesMax,
  frameHeaderBytes,
  type OutputsRequest,
  outputFramesType,
} from "../../protocol/output-frames.ts";
import { openContained } from "./contained-file.ts";
import { isOutputsRequest } from "./outputs-request.ts";

const bodyBytesMax = 16 * 1024 * 1024;
const bodyMsMax = 60_000;
const chunkBytes = 256 * 1024;
/** A reader that takes not one byte for so long is gone. */
const stallMsMax = 60_000;
/** Segment files held open at once by one answer. */
const openFilesMax = 32;
const reasonCharsMax = 500;

export interface OutputsPlace {
  readonly dataDir: string;
  /** Of the job's home, below the data directory: NODE, hh, JOB. */
  readonly home: readonly [string, string, string];
}

/** Answers the request; what is wrong with it is told by `refuse`. */
export async function sendOutputs(
  request: IncomingMessage,
  response: ServerResponse,
  place: OutputsPlace,
  refuse: (status: number, text: string) => void,
): Promise<void> {
  const body = await readBody(request);
  if (body === null) return refuse(413, `A body of at most ${bodyBytesMax} bytes expected, within ${bodyMsMax} ms.`);
  const asked = parsed(body);
  if (asked === null) return refuse(400, "This is not a list of outputs.");
  const isPacked = /\bzstd\b/.test(String(request.headers["accept-encoding"]));
  response.setTimeout(stallMsMax, () => response.destroy());
  response.writeHead(200, {
    "content-type": outputFramesType,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(isPacked ? { "content-encoding": "zstd" } : {}),
  });
  const files = new SegmentFiles(place, asked.files);
  try {
    const frames = Readable.from(framesOf(asked, files), { objectMode: false, highWaterMark: chunkBytes });
    // Level 1: the line is to be the limit, not the processor.
    const packed = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } };
    // What breaks here breaks there, since no last frame comes.
    if (isPacked) await pipeline(frames, zlib.createZstdCompress(packed), response);
    else await pipeline(frames, response);
  } catch {
    response.destroy();
  } finally {
    await files.close();
  }
}

async function* framesOf({ outputs, label }: OutputsRequest, files: SegmentFiles): AsyncGenerator<Buffer, void> {
  for (const [index, [file, at, length]] of outputs.entries()) {
    let found: { handle: FileHandle; labels: LabelExtents[] };
    try {
      const { handle, size } = await files.open(file);
      found = { handle, labels: await readDirectory(handle, size, at, length, label) };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const reason = Buffer.from(error.message.slice(0, reasonCharsMax), "utf8");
      yield encodeFrame("gone", index, reason);
      yield checksum(zlib.crc32(reason));
      continue;
    }
    yield* outputFrame(index, found.handle, found.labels);
  }
  yield encodeFrame("end", outputs.length, Buffer.alloc(0));
  yield checksum(0);
}

async function* outputFrame(index: number, handle: FileHandle, labels: LabelExtents[]): AsyncGenerator<Buffer, void> {
  let dataBytes = 0;
  const moved = labels.map(({ label, extents }) => ({
    label,
    extents: extents.map((extent) => {
      const offset = dataBytes;
      dataBytes += extent.length;
      return { ...extent, offset };
    }),
  }));
  const frame = encodeFrame("output", index, encodeDirectory(moved), dataBytes);
  let sum = zlib.crc32(frame.subarray(frameHeaderBytes));
  yield frame;
  for (const { extents } of labels) {
    for (const { offset, length } of extents) {
      for (let at = 0; at < length; ) {
        const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, length - at));
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, offset + at);
        if (bytesRead === 0) throw new DataError("the file became shorter", { code: "bad-block" });
        const bytes = chunk.subarray(0, bytesRead);
        sum = zlib.crc32(bytes, sum);
        at += bytesRead;
        yield bytes;
      }
    }
  }
  yield checksum(sum);
}

/** @throws DataError for what is not there: anything that is announced can be sent. */
async function readDirectory(
  handle: FileHandle,
  size: number,
  at: number,
  length: number,
  label: number | undefined,
): Promise<LabelExtents[]> {
  if (length > frameHeadBytesMax || at + length > size) throw gone(`it ends at byte ${size}`);
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) throw gone(`it ends at byte ${at + done}`);
    done += bytesRead;
  }
  const labels = decodeDirectory(bytes, label);
  for (const { extents } of labels) {
    for (const extent of extents) {
      if (extent.offset + extent.length > size) throw gone(`it ends at byte ${size}`);
    }
  }
  return labels;
}

/** Files of one answer, each opened once; the one that was opened first makes room. */
class SegmentFiles {
  readonly #place: OutputsPlace;
  readonly #names: readonly string[];
  readonly #open = new Map<number, { readonly handle: FileHandle; readonly size: number }>();

  constructor(place: OutputsPlace, names: readonly string[]) {
    this.#place = place;
    this.#names = names;
  }

  /** @throws DataError for a file that is not there, or none of the job's. */
  async open(number: number): Promise<{ readonly handle: FileHandle; readonly size: number }> {
    const known = this.#open.get(number);
    if (known !== undefined) return known;
    const segments = (this.#names[number] ?? "").split("/");
    const isOwn =
      segments.length > 4 && segments[3] === ".disco" && this.#place.home.every((name, i) => segments[i] === name);
    if (!isOwn || segments.some((name) => name === "" || name === "." || name === ".." || /[\\\0]/.test(name))) {
      throw gone("it is no file of outputs of this job");
    }
    const opened = await openContained(this.#place.dataDir, segments);
    if (opened.kind === "busy") throw new Error("too many files are open");
    if (opened.kind !== "file") throw gone("the file is not there");
    if (this.#open.size >= openFilesMax) {
      const [oldest] = this.#open;
      if (oldest !== undefined) {
        this.#open.delete(oldest[0]);
        await oldest[1].handle.close();
      }
    }
    const file = { handle: opened.handle, size: opened.size };
    this.#open.set(number, file);
    return file;
  }

  async close(): Promise<void> {
    for (const { handle } of this.#open.values()) await handle.close();
    this.#open.clear();
  }
}

/** `null`: too long, too slow, or cut off. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => request.destroy(), bodyMsMax);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bodyBytesMax) return null;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, length);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

function parsed(body: Buffer): OutputsRequest | null {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isOutputsRequest(value) ? value : null;
  } catch {
    return null;
  }
}

function checksum(sum: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(sum, 0);
  return bytes;
}

function gone(why: string): DataError {
  return new DataError(why, { code: "input-lost" });
}
