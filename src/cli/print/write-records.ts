/**
 * Writes the records of results as text, or their bytes as they are, to a file, which appears under its name only when it is
 * complete, or to standard output.
 */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { bytesReader, resultIterator } from "../../index.ts";
import { type OutputFormat, type RecordFormat, recordText } from "./record-text.ts";

/** Characters gathered before a write: a write for each record would be slow. */
const batchCharacters = 1 << 16;

/** `head`: so many records at most; of `raw` all. */
export async function writeRecords(
  results: readonly string[],
  file: string,
  format: OutputFormat,
  head = Number.POSITIVE_INFINITY,
): Promise<void> {
  const parts = (): AsyncIterable<string | Uint8Array> =>
    format === "raw" ? resultIterator([...results], { reader: bytesReader }) : recordTexts(results, format, head);
  if (file === "-") return pipeline(parts, process.stdout, { end: false });
  const partial = `${file}.partial-${process.pid}`;
  try {
    await pipeline(parts, createWriteStream(partial));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** The end of the name decides where no format is given. */
export function formatOfFile(file: string): RecordFormat {
  return /\.(?:jsonl|ndjson)$/.test(file) ? "jsonl" : "tsv";
}

async function* recordTexts(results: readonly string[], format: RecordFormat, head: number): AsyncGenerator<string> {
  let batch = "";
  let left = head;
  if (left <= 0) return;
  for await (const [key, value] of resultIterator([...results])) {
    batch += recordText(key, value, format);
    if (--left <= 0) break;
    if (batch.length < batchCharacters) continue;
    yield batch;
    batch = "";
  }
  if (batch !== "") yield batch;
}
