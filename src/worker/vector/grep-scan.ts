/**
 * The lines of a block in which something is found. The block is searched as a whole, natively; each line with a find is then asked by
 * itself, exactly as the plain function does. So the search may find too much, never too little (`line-pattern.ts`).
 */
import type { BlockScan } from "./block-scan.ts";
import { linePattern } from "./line-pattern.ts";
import { asBuffer, countLines, decodeText, lineEnd, textLines } from "./line-scan.ts";
import type { TextSink } from "./text-sink.ts";

const newline = 10;

export function grepScan(pattern: RegExp | string): BlockScan {
  if (typeof pattern === "string") {
    return isSearchable(pattern) ? scanFor(pattern) : scanEach((line) => line.includes(pattern));
  }
  // Own copies: positions are kept in them.
  const expression = new RegExp(pattern.source, pattern.flags.replace("g", ""));
  const whole = linePattern(expression);
  return whole === null ? scanEach((line) => expression.test(line)) : scanBy(whole, expression);
}

/** Its bytes occur wherever it does: it is not made of halves of characters, nor of what stands for bytes that are none. */
function isSearchable(text: string): boolean {
  return text !== "" && text.isWellFormed() && !text.includes("\ufffd");
}

function scanEach(matches: (line: string) => boolean): BlockScan {
  return (block, sink) => {
    for (const line of textLines(block)) if (matches(line)) sink.takeText(line);
    return countLines(block);
  };
}

function scanFor(text: string): BlockScan {
  const wanted = Buffer.from(text);
  return (block, sink) => {
    const bytes = asBuffer(block);
    for (let at = bytes.indexOf(wanted); at !== -1; ) {
      const start = at === 0 ? 0 : bytes.lastIndexOf(newline, at - 1) + 1;
      const found = bytes.indexOf(newline, at);
      const end = found === -1 ? bytes.length : found;
      const line = bytes.toString("utf8", start, lineEnd(bytes, start, end));
      if (line.includes(text)) sink.takeText(line);
      at = end + 1 >= bytes.length ? -1 : bytes.indexOf(wanted, end + 1);
    }
    return countLines(block);
  };
}

function scanBy(whole: RegExp, expression: RegExp): BlockScan {
  return (block, sink) => {
    searchText(decodeText(block), whole, expression, sink);
    return countLines(block);
  };
}

function searchText(text: string, whole: RegExp, expression: RegExp, sink: TextSink): void {
  const endsLine = text.endsWith("\n");
  whole.lastIndex = 0;
  for (let match = whole.exec(text); match !== null; match = whole.exec(text)) {
    const at = match.index;
    // Behind the last line feed there is no line.
    if (at === text.length && (endsLine || at === 0)) return;
    const start = at === 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
    const found = text.indexOf("\n", at);
    const end = found === -1 ? text.length : found;
    const line = text.slice(start, text[end - 1] === "\r" && end > start ? end - 1 : end);
    if (expression.test(line)) sink.takeText(line);
    if (end + 1 >= text.length) return;
    whole.lastIndex = end + 1;
  }
}
