/**
 * A stage manifest on its way from the master to the workers that read the stage's outputs: JSON, in which an output is a row of
 * numbers and a digest, and the few files that hold all of them are named once. One of 50,000 outputs has 5 MB so, and 11 MB as
 * it is in memory; each reduce reads it.
 *
 * A task that reads outputs of other nodes has a manifest of its own: its node has fetched them, and the rows say where to.
 */
import type { Label, ManifestMark, OutputRef, StageManifest } from "../core/job/spec.ts";

/** Where on this node a copy of another node's output lies: as in an `OutputRef`. */
export interface FetchedPlace {
  readonly file: string;
  readonly at: number;
  readonly length: number;
}

export interface FetchedManifest extends StageManifest {
  /** Of a `ManifestPart`. */
  readonly mark?: ManifestMark;
  readonly outputs: readonly {
    readonly task: number;
    /** Names the output, wherever its bytes are. */
    readonly ref: OutputRef;
    readonly labels?: readonly Label[];
    readonly place?: FetchedPlace;
  }[];
}

/** So that no string is as long as the whole. */
const rowsAtOnce = 1_000;

type Row = readonly [
  task: number,
  file: number,
  at: number,
  length: number,
  digest: string,
  copyFile?: number,
  copyAt?: number,
  copyLength?: number,
];

interface ManifestJson {
  readonly stage: number;
  readonly version: number;
  readonly files: readonly (readonly [host: string, file: string])[];
  readonly outputs: readonly Row[];
  /** By output. Absent: none says which labels it has. */
  readonly labels?: readonly (readonly Label[])[];
  readonly open?: true;
  readonly mark?: ManifestMark;
}

export function encodeManifest({ stage, version, outputs, open, mark }: FetchedManifest): Uint8Array {
  const files = new FileTable();
  const texts: string[] = [];
  addRows(texts, outputs, ({ task, ref, place }): Row => {
    const { at, length, digest } = ref;
    if (place === undefined) return [task, files.number(ref), at, length, digest];
    const copy = files.number({ host: "", file: place.file });
    return [task, files.number(ref), at, length, digest, copy, place.at, place.length];
  });
  const more = `${open === true ? '"open":true,' : ""}${mark === undefined ? "" : `"mark":${JSON.stringify(mark)},`}`;
  texts.unshift(`{"stage":${stage},"version":${version},${more}"files":${JSON.stringify(files.entries)},"outputs":[`);
  if (outputs.some(({ labels }) => labels !== undefined)) {
    texts.push('],"labels":[');
    addRows(texts, outputs, ({ labels = [] }) => labels);
  }
  texts.push("]}");
  // Filled in place: as parts to be joined, all of it would be in memory twice.
  const bytes = Buffer.allocUnsafeSlow(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
  let at = 0;
  for (const text of texts) at += bytes.write(text, at);
  return bytes;
}

/** Entries of one list, some at a time. */
function addRows<T>(texts: string[], outputs: readonly T[], row: (output: T) => unknown): void {
  for (let from = 0; from < outputs.length; from += rowsAtOnce) {
    const rows = outputs.slice(from, from + rowsAtOnce).map(row);
    texts.push(`${from === 0 ? "" : ","}${JSON.stringify(rows).slice(1, -1)}`);
  }
}

/** @throws SyntaxError */
export function decodeManifest(text: string): FetchedManifest {
  const { stage, version, files, outputs, labels, open, mark } = JSON.parse(text) as ManifestJson;
  return {
    stage,
    version,
    ...(open === true ? { open } : {}),
    ...(mark === undefined ? {} : { mark }),
    outputs: outputs.map(([task, number, at, length, digest, copyFile, copyAt, copyLength], row) => {
      const [host, file] = files[number] as ManifestJson["files"][number];
      const ref = { host, file, at, length, digest };
      const output = labels === undefined ? { task, ref } : { task, ref, labels: labels[row] ?? [] };
      if (copyFile === undefined || copyAt === undefined || copyLength === undefined) return output;
      return { ...output, place: { file: files[copyFile]?.[1] ?? "", at: copyAt, length: copyLength } };
    }),
  };
}

class FileTable {
  readonly entries: [host: string, file: string][] = [];
  readonly #numbers = new Map<string, Map<string, number>>();

  number({ host, file }: Pick<OutputRef, "host" | "file">): number {
    let ofHost = this.#numbers.get(host);
    if (ofHost === undefined) this.#numbers.set(host, (ofHost = new Map()));
    const known = ofHost.get(file);
    if (known !== undefined) return known;
    ofHost.set(file, this.entries.length);
    return this.entries.push([host, file]) - 1;
  }
}
