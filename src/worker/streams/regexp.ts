/**
 * Records by a regular expression, as Disco's `re_reader`: the expression is matched where the last match ended, again and
 * again. A match that reaches the end of what has been read so far might still grow, so it waits for more data.
 */
import { DataError, DiscoError } from "../../errors.ts";
import { own, ownFactory } from "../own.ts";
import { type Decoder, decode } from "./decoder.ts";

/** Text in which no match ends: an expression that does not fit the data would else collect the whole input. */
const recordCharsMax = 64 * 1024 * 1024;

class RegExpDecoder implements Decoder<string[]> {
  readonly #expression: RegExp;
  readonly #url: string;
  readonly #decoder = new TextDecoder();
  #text = "";
  #consumed = 0;
  /** Below this length another try cannot pay: tries double, so that long records cost linear time. */
  #tryFrom = 0;

  constructor(expression: RegExp, url: string) {
    this.#expression = expression;
    this.#url = url;
  }

  push(chunk: Uint8Array): readonly string[][] {
    this.#text += this.#decoder.decode(chunk, { stream: true });
    if (this.#text.length < this.#tryFrom) return [];
    const records = this.#match(false);
    this.#tryFrom = records.length === 0 ? this.#text.length * 2 : 0;
    if (this.#text.length > recordCharsMax) {
      throw this.#error(`no match of ${this.#expression} in ${this.#text.length} characters`);
    }
    return records;
  }

  end(): readonly string[][] {
    this.#text += this.#decoder.decode();
    const records = this.#match(true);
    if (this.#text.trim() !== "")
      throw this.#error(`the last ${this.#text.length} characters do not match ${this.#expression}`);
    return records;
  }

  #match(isEnd: boolean): string[][] {
    const records: string[][] = [];
    const text = this.#text;
    const expression = this.#expression;
    let at = 0;
    while (at < text.length) {
      expression.lastIndex = at;
      const match = expression.exec(text);
      if (match === null) break;
      const end = expression.lastIndex;
      if (end === text.length && !isEnd) break;
      if (end === at) throw this.#error(`${expression} matches the empty string`);
      records.push(match.length === 1 ? [match[0]] : match.slice(1));
      at = end;
    }
    this.#text = text.slice(at);
    this.#consumed += at;
    return records;
  }

  #error(what: string): DataError {
    return new DataError(`${this.#url}, after ${this.#consumed} characters: ${what}`, {
      code: "bad-record",
      url: this.#url,
      hint: "The expression must match all of the input, record after record, separators included.",
    });
  }
}

/**
 * Entries are the capture groups of each match of `regexp` (the whole match where it has no groups). Matches must follow one
 * another without gaps; white space may remain at the end. Input is read as UTF-8.
 */
export function reReader(
  regexp: RegExp | string,
): (stream: Iterable<Uint8Array>, size: number, url: string, params?: unknown) => IterableIterator<string[]> {
  let source: RegExp;
  try {
    source = new RegExp(regexp);
  } catch (error) {
    throw new DiscoError(`reReader: ${String(regexp)} is not a regular expression`, {
      code: "bad-option",
      cause: error,
    });
  }
  const flags = `${source.flags.replace(/[gy]/g, "")}y`;
  return own(
    "reReader",
    (stream: Iterable<Uint8Array>, _size: number, url: string, _params?: unknown): IterableIterator<string[]> =>
      decode(stream, new RegExpDecoder(new RegExp(source.source, flags), url), "reReader"),
    [source],
  );
}
ownFactory(reReader, "reReader(regexp)");
