/** One field of each line. */
import type { BlockScan } from "./block-scan.ts";
import { lineEnd } from "./line-scan.ts";
import { isSpace } from "./word-scan.ts";

const newline = 10;

/** `separator`: `undefined` for white space. `null`: a separator of several bytes has no kernel. */
export function fieldScan(n: number, separator: string | undefined): BlockScan | null {
  if (separator === undefined) return scanLinesBy((block, start, end) => findWord(block, start, end, n));
  const byte = separator.charCodeAt(0);
  if (separator.length !== 1 || byte > 0x7f || byte === newline) return null;
  return scanLinesBy((block, start, end) => findField(block, start, end, n, byte));
}

/** Where the field that was found last lies. */
let fieldStart = 0;
let fieldEnd = 0;

/** Sets `fieldStart` and `fieldEnd`; `false`: the line has no such field. */
type Find = (block: Uint8Array, start: number, end: number) => boolean;

function scanLinesBy(find: Find): BlockScan {
  return (block, sink) => {
    let lines = 0;
    for (let start = 0; start < block.length; ) {
      const found = block.indexOf(newline, start);
      const end = found === -1 ? block.length : found;
      if (find(block, start, lineEnd(block, start, end))) sink.take(block, fieldStart, fieldEnd);
      if (found !== -1) lines++;
      start = end + 1;
    }
    return lines;
  };
}

function findField(block: Uint8Array, start: number, end: number, n: number, separator: number): boolean {
  let at = start;
  for (let field = 0; ; field++) {
    fieldStart = at;
    while (at < end && block[at] !== separator) at++;
    if (field === n) break;
    if (at === end) return false;
    at++;
  }
  fieldEnd = at;
  return true;
}

function findWord(block: Uint8Array, start: number, end: number, n: number): boolean {
  let at = start;
  for (let field = 0; ; field++) {
    while (at < end && isSpace(block[at] as number)) at++;
    if (at === end) return false;
    fieldStart = at;
    while (at < end && !isSpace(block[at] as number)) at++;
    if (field === n) break;
  }
  fieldEnd = at;
  return true;
}
