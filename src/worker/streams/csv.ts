/**
 * Comma-separated values as RFC 4180 has them: fields in double quotes may hold delimiters, line ends and doubled quotes.
 * Text without quotes, the usual case, is split; only records that hold a quote are walked.
 */
import { DataError, DiscoError } from "../../errors.ts";
import { own, ownFactory } from "../own.ts";
import { type Decoder, decode } from "./decoder.ts";

/** A quote that is never closed would else collect the whole input. */
const recordCharsMax = 64 * 1024 * 1024;

export interface CsvOptions {
  /** One character; default a comma. */
  readonly delimiter?: string;
  /** `true`: the first record names the fields. A list: these are the names. Entries are then objects, else arrays. */
  readonly header?: boolean | readonly string[];
}

type CsvReader<Entry> = (
  stream: Iterable<Uint8Array>,
  size: number,
  url: string,
  params?: unknown,
) => IterableIterator<Entry>;

class CsvDecoder implements Decoder<unknown> {
  readonly #url: string;
  readonly #delimiter: string;
  readonly #decoder = new TextDecoder();
  #names: readonly string[] | null;
  #wantsNames: boolean;
  #text = "";
  #records = 0;
  #tryFrom = 0;

  constructor(url: string, options: CsvOptions) {
    this.#url = url;
    this.#delimiter = options.delimiter ?? ",";
    this.#names = Array.isArray(options.header) ? (options.header as readonly string[]) : null;
    this.#wantsNames = options.header === true;
  }

  push(chunk: Uint8Array): unknown[] {
    this.#text += this.#decoder.decode(chunk, { stream: true });
    if (this.#text.length < this.#tryFrom) return [];
    const records = this.#take(false);
    this.#tryFrom = records.length === 0 ? this.#text.length * 2 : 0;
    if (this.#text.length > recordCharsMax) throw this.#error("the record has no end: is a quote not closed?");
    return records;
  }

  end(): unknown[] {
    this.#text += this.#decoder.decode();
    return this.#take(true);
  }

  #take(isEnd: boolean): unknown[] {
    const entries: unknown[] = [];
    const text = this.#text;
    const hasQuotes = text.includes('"');
    let at = 0;
    while (at < text.length) {
      let end = text.indexOf("\n", at);
      if (hasQuotes) end = this.#recordEnd(text, at, end, isEnd);
      if (end === -1) {
        if (!isEnd) break;
        end = text.length;
      }
      const line = text.slice(at, text.charCodeAt(end - 1) === 13 && end > at ? end - 1 : end);
      at = end + 1;
      this.#records++;
      if (line === "") continue;
      const fields = hasQuotes && line.includes('"') ? this.#fields(line) : line.split(this.#delimiter);
      if (this.#wantsNames) {
        this.#wantsNames = false;
        this.#names = fields;
      } else {
        entries.push(this.#names === null ? fields : this.#object(this.#names, fields));
      }
    }
    this.#text = text.slice(at);
    return entries;
  }

  /** The line end that is outside quotes: before it the number of quotes is even. */
  #recordEnd(text: string, at: number, firstEnd: number, isEnd: boolean): number {
    let end = firstEnd;
    let quoted = false;
    let from = at;
    for (;;) {
      const stop = end === -1 ? text.length : end;
      for (let quote = text.indexOf('"', from); quote !== -1 && quote < stop; quote = text.indexOf('"', quote + 1)) {
        quoted = !quoted;
      }
      if (!quoted) return end;
      if (end === -1) {
        if (isEnd) throw this.#error("a quote is not closed");
        return -1;
      }
      from = end + 1;
      end = text.indexOf("\n", from);
    }
  }

  #fields(line: string): string[] {
    const fields: string[] = [];
    const delimiter = this.#delimiter;
    let at = 0;
    for (;;) {
      if (line[at] === '"') {
        let field = "";
        let quote = line.indexOf('"', at + 1);
        let from = at + 1;
        while (quote !== -1 && line[quote + 1] === '"') {
          field += line.slice(from, quote + 1);
          from = quote + 2;
          quote = line.indexOf('"', from);
        }
        if (quote === -1) throw this.#error("a quote is not closed");
        fields.push(field + line.slice(from, quote));
        at = quote + 1;
        if (at >= line.length) return fields;
        if (line[at] !== delimiter) throw this.#error("text follows a closing quote");
        at++;
      } else {
        const end = line.indexOf(delimiter, at);
        if (end === -1) {
          fields.push(line.slice(at));
          return fields;
        }
        fields.push(line.slice(at, end));
        at = end + 1;
      }
    }
  }

  #object(names: readonly string[], fields: readonly string[]): unknown {
    if (fields.length !== names.length) {
      throw this.#error(`it has ${fields.length} fields, the header names ${names.length}`);
    }
    return Object.fromEntries(names.map((name, i) => [name, fields[i]]));
  }

  #error(what: string): DataError {
    return new DataError(`${this.#url}, record ${Math.max(1, this.#records)}: ${what}`, {
      code: "bad-record",
      url: this.#url,
    });
  }
}

/**
 * Makes a reader of CSV files: `mapReader: csvReader({ header: true })`. Empty lines are skipped; input is UTF-8. Throws
 * `DataError` for a quote that is never closed and for a record whose number of fields is not the header's.
 */
// Two signatures and no type parameter: TypeScript infers the entries of a job from a call written in place only so.
export function csvReader(
  options: CsvOptions & { readonly header: true | readonly string[] },
): CsvReader<Record<string, string>>;
export function csvReader(options?: CsvOptions & { readonly header?: false }): CsvReader<string[]>;
export function csvReader(options?: CsvOptions): CsvReader<Record<string, string> | string[]>;
export function csvReader(options?: CsvOptions): CsvReader<never> {
  const given: CsvOptions = options ?? {};
  const delimiter = given.delimiter ?? ",";
  if (delimiter.length !== 1 || delimiter === '"' || delimiter === "\n" || delimiter === "\r") {
    throw new DiscoError(`csvReader: delimiter ${JSON.stringify(delimiter)}: one character, no quote or line end`, {
      code: "bad-option",
    });
  }
  return own(
    "csvReader",
    (stream: Iterable<Uint8Array>, _size: number, url: string, _params?: unknown): IterableIterator<never> =>
      decode(stream, new CsvDecoder(url, given) as unknown as Decoder<never>, "csvReader"),
    [given],
  );
}
ownFactory(csvReader, "csvReader()");
