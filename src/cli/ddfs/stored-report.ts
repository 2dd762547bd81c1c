/** What `push` and `chunk` say in the end: which blobs the tag has, and which `--update` left out, as those are in no tag. */
import { blobNameOf, parseBlobAddress } from "../../core/ddfs/names.ts";
import { printJson } from "../print/write-out.ts";
import { formatBytes, formatCount } from "../progress/quantity.ts";
import type { OpenDdfs, StoreOptions } from "./open-ddfs.ts";

export interface ReportOptions extends StoreOptions {
  readonly update?: boolean;
  readonly quiet?: boolean;
}

type Replicas = readonly string[];

export interface StoredBlobs {
  readonly blobs: readonly Replicas[];
  /** Names that the tag had already. */
  readonly leftOut: readonly string[];
}

/** Which of the blobs that were stored are in the tag: with `--update` that is to be asked. */
export async function keptBlobs(
  { api, write }: OpenDdfs,
  tag: string,
  blobs: readonly Replicas[],
  { update }: ReportOptions,
): Promise<StoredBlobs> {
  if (update !== true) return { blobs, leftOut: [] };
  const { urls } = await api.tag(tag, write);
  const there = new Set(urls.map(objectOf));
  const kept = blobs.filter((replicas) => there.has(objectOf(replicas)));
  const leftOut = blobs.filter((replicas) => !there.has(objectOf(replicas))).map(([url = ""]) => blobNameOf(url));
  return { blobs: kept, leftOut };
}

function objectOf(replicas: Replicas): string | null {
  return parseBlobAddress(replicas[0] ?? "")?.object ?? null;
}

/** As many names as one reads. */
const namesShown = 3;

export function reportBlobs(
  tag: string,
  { blobs, leftOut }: StoredBlobs,
  bytes: number,
  { json, quiet, update }: ReportOptions,
): void {
  if (json === true) printJson({ tag, blobs, bytes, ...(update === true ? { leftOut } : {}) });
  if (json === true || quiet === true) return;
  const lines = [`${tag}: ${counted(blobs.length)}${leftOut.length === 0 ? `, ${formatBytes(bytes)}` : " added"}`];
  if (leftOut.length > 0) {
    const names = leftOut.slice(0, namesShown).join(", ") + (leftOut.length > namesShown ? ", …" : "");
    lines.push(`${counted(leftOut.length)} left out (--update): the tag had one of the same name: ${names}`);
  }
  process.stderr.write(`${lines.join("\n")}\n`);
}

function counted(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "blob" : "blobs"}`;
}
