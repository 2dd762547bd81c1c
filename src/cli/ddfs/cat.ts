/** `ddfs cat`: the bytes of blobs, as they were pushed; `ddfs xcat`: the records in them. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { RecordFormat } from "../print/record-text.ts";
import type { ReachOptions } from "./blobs.ts";
import { contentsOf } from "./contents.ts";
import { withDdfs } from "./open-ddfs.ts";
import { readerOf } from "./readers.ts";
import { recordLines } from "./record-lines.ts";
import { stoppable } from "./stoppable.ts";

export async function catBlobs(words: readonly string[], options: ReachOptions): Promise<void> {
  await stoppable((signal) =>
    withDdfs(options, async (ddfs) => {
      async function* bytes(): AsyncGenerator<Uint8Array> {
        for await (const blob of contentsOf(ddfs, words, options, signal)) yield* blob;
      }
      // One pipeline for all: each leaves listeners on standard output.
      await pipeline(Readable.from(bytes(), { objectMode: false }), process.stdout, { end: false, signal });
    }),
  );
}

export interface RecordOptions extends ReachOptions {
  /** Name of a reader, or `FILE#NAME`. */
  readonly reader?: string;
  readonly format?: RecordFormat;
  readonly head?: number;
}

export async function catRecords(words: readonly string[], options: RecordOptions): Promise<void> {
  const reader = options.reader === undefined ? undefined : await readerOf(options.reader);
  const format = options.json === true ? "jsonl" : (options.format ?? "tsv");
  await stoppable((signal) =>
    withDdfs(options, async (ddfs) => {
      async function* texts(): AsyncGenerator<string> {
        let left = options.head ?? Number.POSITIVE_INFINITY;
        if (left <= 0) return;
        for await (const blob of contentsOf(ddfs, words, options, signal)) {
          for await (const lines of recordLines(ddfs, blob, reader, format, signal)) {
            const shown = lines.length <= left ? lines : lines.slice(0, left);
            if (shown.length > 0) yield `${shown.join("\n")}\n`;
            left -= shown.length;
            if (left <= 0) return;
          }
        }
      }
      await pipeline(texts, process.stdout, { end: false, signal });
    }),
  );
}
