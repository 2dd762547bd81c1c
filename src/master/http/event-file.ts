/**
 * Event logs as files, from any byte to any byte, and backwards: the memory that a reader takes is that of a block and a line,
 * however long the log is.
 */
import type { FileHandle } from "node:fs/promises";
import type { JobEvent } from "../../client/master-api.ts";
import { matches, type WireEvent, wireEvent, wireLine } from "./wire-event.ts";

const blockBytes = 64 * 1024;
const newline = 10;

/** Bytes up to the end of the last whole line. */
export async function logBytes(file: FileHandle): Promise<number> {
  return await lineStart(file, (await file.stat()).size);
}

/**
 * The bytes from `from` up to `to` of Disco's form of the log, in parts. `to` is not behind `logBytes`.
 */
export async function* wireBytes(file: FileHandle, from: number, to: number): AsyncGenerator<Buffer> {
  let at = await lineStart(file, from);
  let rest = Buffer.alloc(0);
  while (at < to) {
    const block = await readAt(file, at + rest.length, blockBytes);
    if (block.length === 0) throw new Error("the event log was cut while it was read");
    const bytes = Buffer.concat([rest, block]);
    const lines: string[] = [];
    let begin = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, begin)) {
      lines.push(wireLine(JSON.parse(bytes.toString("utf8", begin, end)) as JobEvent, end + 1 - begin));
      begin = end + 1;
    }
    rest = bytes.subarray(begin);
    if (lines.length === 0) continue;
    const part = Buffer.from(lines.join(""), "utf8");
    const wanted = part.subarray(Math.max(0, from - at), Math.max(0, to - at));
    if (wanted.length > 0) yield wanted;
    at += begin;
  }
}

/** The newest events that match, the newest first. Reads from the end, only as far as it must. */
export async function newestEvents(file: FileHandle, wanted: number, filter: string): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  if (wanted === 0) return events;
  for await (const line of linesBackwards(file, await logBytes(file))) {
    const event = wireEvent(JSON.parse(line.toString("utf8")) as JobEvent);
    if (matches(event, filter) && events.push(event) === wanted) break;
  }
  return events;
}

async function* linesBackwards(file: FileHandle, end: number): AsyncGenerator<Buffer> {
  // The end of a line whose beginning lies further ahead.
  let rest = Buffer.alloc(0);
  for (let at = end; at > 0; ) {
    const from = Math.max(0, at - blockBytes);
    const bytes = Buffer.concat([await readAt(file, from, at - from), rest]);
    let stop = bytes.length;
    for (let before = previousNewline(bytes, stop - 1); before >= 0; before = previousNewline(bytes, stop - 1)) {
      yield bytes.subarray(before + 1, stop - 1);
      stop = before + 1;
    }
    rest = bytes.subarray(0, stop);
    at = from;
  }
  if (rest.length > 1) yield rest.subarray(0, rest.length - 1);
}

/** Where the line begins that has the byte before `at` in it, or `at` itself when that byte ends a line. */
async function lineStart(file: FileHandle, at: number): Promise<number> {
  for (let end = at; end > 0; ) {
    const from = Math.max(0, end - blockBytes);
    const found = previousNewline(await readAt(file, from, end - from), end - from);
    if (found >= 0) return from + found + 1;
    end = from;
  }
  return 0;
}

/** The last newline before `end`, or -1. */
function previousNewline(bytes: Buffer, end: number): number {
  return end < 1 ? -1 : bytes.lastIndexOf(newline, end - 1);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let bytes = 0;
  while (bytes < length) {
    const { bytesRead } = await file.read(buffer, bytes, length - bytes, position + bytes);
    if (bytesRead === 0) break;
    bytes += bytesRead;
  }
  return buffer.subarray(0, bytes);
}
