import { DataError } from "../../errors.ts";
import { own } from "../own.ts";
import { type Decoder, decode } from "./decoder.ts";
import { LineDecoder } from "./lines.ts";

class JsonlDecoder implements Decoder<unknown> {
  readonly #url: string;
  readonly copies = true;
  readonly #lines: LineDecoder;
  #line = 0;

  constructor(url: string) {
    this.#url = url;
    this.#lines = new LineDecoder(url);
  }

  push(chunk: Uint8Array): unknown[] {
    return this.#parse(this.#lines.push(chunk));
  }

  end(): unknown[] {
    return this.#parse(this.#lines.end());
  }

  #parse(lines: readonly string[]): unknown[] {
    const values: unknown[] = [];
    for (const line of lines) {
      this.#line++;
      if (line === "" || line.trim() === "") continue;
      try {
        values.push(JSON.parse(line));
      } catch (error) {
        const shown = line.length > 80 ? `${line.slice(0, 80)}…` : line;
        throw new DataError(`${this.#url}, line ${this.#line} is not JSON: ${shown}`, {
          code: "bad-record",
          url: this.#url,
          cause: error,
        });
      }
    }
    return values;
  }
}

/** Entries are the JSON values of a file with one value a line; blank lines are skipped. */
export const jsonlReader = own(
  "jsonlReader",
  // The reader cannot know what the file holds: a map annotates its entry.
  // biome-ignore lint/suspicious/noExplicitAny: as JSON.parse
  (stream: Iterable<Uint8Array>, _size: number, url: string, _params?: unknown): IterableIterator<any> =>
    decode(stream, new JsonlDecoder(url), "jsonlReader"),
);
