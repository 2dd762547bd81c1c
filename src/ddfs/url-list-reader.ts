/**
 * A list of lists of URLs as JSON, read while it comes: half a gigabyte of it is never one text, and the event loop has its turns between
 * two chunks. Each chunk is cut behind the last entry of the list that is whole; what is before is parsed at once, the rest waits.
 */
import { isUtf8 } from "node:buffer";
import type { UrlText } from "../core/ddfs/events.ts";
import { DiscoError } from "../errors.ts";
import { badUrl, UrlParts } from "./url-text.ts";

/** Bytes of one entry: all replicas that it may have, as long as they may be. */
const entryBytesMax = 1024 * 1024;
/** Entries are lists of texts. */
const depthMax = 2;
const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace, comma] = Buffer.from('"\\[]{},');
const whitespace: ReadonlySet<number> = new Set(Buffer.from(" \t\r\n"));

export class UrlListReader {
  readonly #list = new UrlParts();
  /** Of the entry that is not whole yet. */
  #rest: Buffer[] = [];
  #restBytes = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #entries = 0;
  #state: "before" | "within" | "behind" = "before";

  /** @throws DiscoError `bad-json`, `bad-url` */
  push(chunk: Buffer): void {
    let from = 0;
    let cut = -1;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] as number;
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === backslash) this.#isEscaped = true;
        else if (byte === quote) this.#inString = false;
      } else if (this.#state !== "within") {
        if (whitespace.has(byte)) continue;
        if (this.#state === "behind" || byte !== openBracket) throw notList();
        this.#state = "within";
        this.#depth = 1;
        from = i + 1;
      } else if (byte === quote) this.#inString = true;
      else if (byte === openBracket) {
        if (++this.#depth > depthMax) throw badUrl("entries of the list are lists of URLs, and hold no lists");
      } else if (byte === closeBracket) {
        if (--this.#depth > 0) continue;
        this.#take(chunk.subarray(from, i), true);
        this.#state = "behind";
        from = chunk.length;
        cut = -1;
      } else if (byte === comma && this.#depth === 1) cut = i;
      else if (byte === openBrace || byte === closeBrace) throw badUrl("entries of the list are lists of URLs");
    }
    if (cut >= 0) {
      this.#take(chunk.subarray(from, cut), false);
      from = cut + 1;
    }
    if (this.#state !== "within" || from >= chunk.length) return;
    const rest = chunk.subarray(from);
    this.#restBytes += rest.length;
    if (this.#restBytes > entryBytesMax) throw badUrl(`entry ${this.#entries} has more than ${entryBytesMax} bytes`);
    this.#rest.push(rest);
  }

  /** @throws DiscoError `bad-json` where the list has no end */
  end(): UrlText[] {
    if (this.#state !== "behind") throw notList();
    return this.#list.parts();
  }

  /** Entries with commas between them. */
  #take(bytes: Buffer, isLast: boolean): void {
    const whole = this.#rest.length === 0 ? bytes : Buffer.concat([...this.#rest, bytes]);
    this.#rest = [];
    this.#restBytes = 0;
    if (!isUtf8(whole)) throw badJson("it is not UTF-8");
    const text = whole.toString("utf8");
    if (/^\s*$/.test(text)) {
      // Nothing at all is an empty list; nothing beside a comma is none.
      if (isLast && this.#entries === 0) return;
      throw badJson("an entry is missing beside a comma");
    }
    for (const entry of entriesOf(text)) {
      this.#entries++;
      this.#list.add(entry);
    }
  }
}

function entriesOf(text: string): unknown[] {
  try {
    return JSON.parse(`[${text}]`) as unknown[];
  } catch (cause) {
    throw badJson((cause as Error).message, cause);
  }
}

function notList(): DiscoError {
  return badJson("a list was expected, and nothing beside it");
}

function badJson(why: string, cause?: unknown): DiscoError {
  return new DiscoError(`the list of URLs is no JSON: ${why}`, {
    code: "bad-json",
    ...(cause === undefined ? {} : { cause }),
  });
}
