/**
 * Records of blobs as lines of text, by the batch. Without a reader blobs say themselves what they are: blocks of Disco's own, or text,
 * compressed or not.
 */
import { recordsOf } from "../../client/ddfs/chunk-input.ts";
import type { PulledBlob } from "../../client/ddfs/pulled-blob.ts";
import { field, jsonText, type RecordFormat } from "../print/record-text.ts";
import type { OpenDdfs } from "./open-ddfs.ts";
import type { AnyReader } from "./readers.ts";

/** Lines without their ends. */
export async function* recordLines(
  { api }: OpenDdfs,
  { urls }: PulledBlob,
  reader: AnyReader | undefined,
  format: RecordFormat,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  const reading = { reader, inputStream: undefined, params: {} };
  for await (const batch of recordsOf(api, { kind: "replicas", urls }, reading, signal)) {
    const lines: string[] = [];
    for (let i = 0; i < batch.n; i++) {
      if ("entries" in batch) lines.push(lineOf(batch.entries[i], format));
      else lines.push(lineOf([batch.keys[i], batch.values[i]], format));
    }
    yield lines;
  }
}

/**
 * The fields of a pair or a list with tabs between them, or JSON. A record that is text stays as it is; `chunk` stores such a one as a key
 * without a value.
 */
function lineOf(record: unknown, format: RecordFormat): string {
  if (format === "jsonl") return jsonText(record);
  const alone = Array.isArray(record) && record.length === 2 && record[1] === null ? (record[0] as unknown) : record;
  if (typeof alone === "string") return alone;
  return Array.isArray(alone) ? alone.map(field).join("\t") : field(alone);
}
