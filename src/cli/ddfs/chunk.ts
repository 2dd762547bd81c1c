/** `ddfs chunk`: records of files, addresses and standard input, as blobs of about the same size that jobs read in parallel. */
import { addAbortSignal } from "node:stream";
import type { ChunkInput } from "../../client/ddfs/ddfs-options.ts";
import { openCounter } from "./counter.ts";
import { withDdfs } from "./open-ddfs.ts";
import { clientOptions, type StoringOptions } from "./push.ts";
import { readerOf } from "./readers.ts";
import { stoppable } from "./stoppable.ts";
import { keptBlobs, reportBlobs } from "./stored-report.ts";
import { tagNameOf } from "./tag-names.ts";

export interface ChunkOptions extends StoringOptions {
  /** In MiB, as in Disco. */
  readonly size?: number;
  readonly maxRecordSize?: number;
  readonly reader?: string;
  /** Of what comes from standard input. */
  readonly name?: string;
}

const megabyte = 1024 * 1024;

export async function chunkInputs(word: string, words: readonly string[], options: ChunkOptions): Promise<void> {
  const tag = tagNameOf(word);
  const { size, maxRecordSize, name = "stdin" } = options;
  const reader = options.reader === undefined ? undefined : await readerOf(options.reader);
  const inputsFor = (signal: AbortSignal): ChunkInput[] =>
    words.map((input) => (input === "-" ? { name, data: addAbortSignal(signal, process.stdin) } : input));
  const counter = openCounter(`chunk ${tag}`, "bytes", options);
  try {
    const stored = await stoppable((signal) =>
      withDdfs(options, async (open) => {
        const [, blobs] = await open.ddfs.chunk(tag, inputsFor(signal), {
          ...clientOptions(options, counter),
          chunkSize: bytesOf(size),
          maxRecordSize: bytesOf(maxRecordSize),
          reader: reader as never,
          signal,
        });
        return await keptBlobs(open, tag, blobs, options);
      }),
    );
    counter.close();
    reportBlobs(tag, stored, counter.done, options);
  } finally {
    counter.close();
  }
}

function bytesOf(megabytes: number | undefined): number | undefined {
  return megabytes === undefined ? undefined : Math.max(1, Math.round(megabytes * megabyte));
}
