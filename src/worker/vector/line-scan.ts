/** Lines of a block, in bytes: ended by LF or CRLF, the last one perhaps by the end of the block. */
import { isAscii } from "node:buffer";
import type { TextSink } from "./text-sink.ts";

const newline = 10;
const carriageReturn = 13;

/** Every line. Where texts are emitted one by one, the block is made into text as a whole. */
export function scanLines(block: Uint8Array, sink: TextSink): number {
  if (!sink.combines) {
    for (const line of textLines(block)) sink.takeText(line);
    return countLines(block);
  }
  let lines = 0;
  for (let start = 0; start < block.length; ) {
    const found = block.indexOf(newline, start);
    const end = found === -1 ? block.length : found;
    sink.take(block, start, lineEnd(block, start, end));
    if (found !== -1) lines++;
    start = end + 1;
  }
  return lines;
}

/** Where the text of the line ends that ends before `end`. */
export function lineEnd(block: Uint8Array, start: number, end: number): number {
  return end > start && block[end - 1] === carriageReturn ? end - 1 : end;
}

/** The number of line feeds, four bytes at a time. */
export function countLines(block: Uint8Array): number {
  const { buffer, byteOffset, length } = block;
  const view = new DataView(buffer, byteOffset, length);
  let lines = 0;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const w = view.getInt32(at, true) ^ 0x0a0a0a0a;
    // The top bit of each byte that is 0, exactly: no borrow crosses a byte.
    let zeros = ~(((w & 0x7f7f7f7f) + 0x7f7f7f7f) | w) & 0x80808080;
    for (; zeros !== 0; zeros &= zeros - 1) lines++;
  }
  for (; at < length; at++) if (block[at] === newline) lines++;
  return lines;
}

/** The lines as text, as `mapLineReader` gives them. */
export function textLines(block: Uint8Array): string[] {
  const text = decodeText(block);
  const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
  if (text.includes("\r")) {
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] as string;
      if (line.endsWith("\r")) lines[i] = line.slice(0, -1);
    }
  }
  return lines;
}

export function decodeText(block: Uint8Array): string {
  const bytes = asBuffer(block);
  return isAscii(bytes) ? bytes.toString("latin1") : bytes.toString("utf8");
}

export function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
