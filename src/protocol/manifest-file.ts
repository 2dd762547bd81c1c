/**
 * A stage manifest on its way from the master to the workers that read the stage's outputs: JSON, in which an output is a row of
 * numbers and a digest, and the few files that hold all of them are named once. One of 50,000 outputs has 5 MB so, and 11 MB as
 * it is in memory; each reduce reads it.
 */
import type { OutputRef, StageManifest } from "../core/job/spec.ts";

/** So that no string is as long as the whole. */
const rowsAtOnce = 1_000;

type Row = readonly [task: number, file: number, at: number, length: number, digest: string];

interface ManifestJson {
  readonly stage: number;
  readonly version: number;
  readonly files: readonly (readonly [host: string, file: string])[];
  readonly outputs: readonly Row[];
}

export function encodeManifest({ stage, version, outputs }: StageManifest): Uint8Array {
  const files = new FileTable();
  const texts: string[] = [];
  for (let from = 0; from < outputs.length; from += rowsAtOnce) {
    const rows = outputs
      .slice(from, from + rowsAtOnce)
      .map(({ task, ref }): Row => [task, files.number(ref), ref.at, ref.length, ref.digest]);
    texts.push(`${from === 0 ? "" : ","}${JSON.stringify(rows).slice(1, -1)}`);
  }
  texts.unshift(`{"stage":${stage},"version":${version},"files":${JSON.stringify(files.entries)},"outputs":[`);
  texts.push("]}");
  // Filled in place: as parts to be joined, all of it would be in memory twice.
  const bytes = Buffer.allocUnsafeSlow(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
  let at = 0;
  for (const text of texts) at += bytes.write(text, at);
  return bytes;
}

/** @throws SyntaxError */
export function decodeManifest(text: string): StageManifest {
  const { stage, version, files, outputs } = JSON.parse(text) as ManifestJson;
  return {
    stage,
    version,
    outputs: outputs.map(([task, number, at, length, digest]) => {
      const [host, file] = files[number] as ManifestJson["files"][number];
      return { task, ref: { host, file, at, length, digest } };
    }),
  };
}

class FileTable {
  readonly entries: [host: string, file: string][] = [];
  readonly #numbers = new Map<string, Map<string, number>>();

  number({ host, file }: OutputRef): number {
    let ofHost = this.#numbers.get(host);
    if (ofHost === undefined) this.#numbers.set(host, (ofHost = new Map()));
    const known = ofHost.get(file);
    if (known !== undefined) return known;
    ofHost.set(file, this.entries.length);
    return this.entries.push([host, file]) - 1;
  }
}
