/** `ddfs du`: what the blobs of tags hold, and what their replicas take. */
import { inParallel } from "../../client/ddfs/in-parallel.ts";
import { parseBlobAddress } from "../../core/ddfs/names.ts";
import { CommError } from "../../errors.ts";
import { type Column, formatColumns, widthOf } from "../print/columns.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { lookOf } from "../progress/look.ts";
import { formatBytes, formatCount } from "../progress/quantity.ts";
import { blobsOf, type ReachOptions } from "./blobs.ts";
import { openCounter } from "./counter.ts";
import { type OpenDdfs, withDdfs } from "./open-ddfs.ts";
import { chosenTags } from "./tag-names.ts";

interface Usage {
  readonly tag: string;
  blobs: number;
  /** Of one replica each. */
  bytes: number;
  /** Of all replicas. */
  storedBytes: number;
  /** Blobs of which no replica was found, and those that lie outside of DDFS. */
  missing: number;
  elsewhere: number;
}

/** Questions under way at once. */
const questionsMax = 32;

const columns: readonly Column[] = [
  { title: "SIZE", align: "right" },
  { title: "STORED", align: "right" },
  { title: "BLOBS", align: "right" },
  { title: "MISSING", align: "right" },
  { title: "TAG", shrinks: true },
];

export async function printUsage(words: readonly string[], options: ReachOptions): Promise<void> {
  const usages = await withDdfs(options, async (ddfs) => {
    const names = words.length === 0 ? await ddfs.api.tags() : (await chosenTags(ddfs.api, words, options)).names;
    const list: Usage[] = [];
    // Of all tags, one that links to nothing does not hide the others.
    const reach = words.length === 0 ? { ...options, ignoreMissing: true } : options;
    for (const name of names) list.push(await usageOf(ddfs, name, reach));
    return list;
  });
  if (options.json === true) return printJson(usages);
  const rows = usages.map(({ bytes, storedBytes, blobs, missing, tag }) => [
    formatBytes(bytes),
    formatBytes(storedBytes),
    formatCount(blobs),
    missing === 0 ? "-" : ({ text: formatCount(missing), style: "red" } as const),
    tag,
  ]);
  if (rows.length === 0) process.stderr.write("no tags\n");
  else printLines(formatColumns(columns, rows, widthOf(process.stdout), lookOf(process.stdout)));
}

async function usageOf(ddfs: OpenDdfs, tag: string, options: ReachOptions): Promise<Usage> {
  const usage = { tag, blobs: 0, bytes: 0, storedBytes: 0, missing: 0, elsewhere: 0 };
  const counter = openCounter(`du ${tag}`, "blobs", options);
  try {
    await inParallel(blobsOf(ddfs, [tag], options), questionsMax, undefined, async (set) => {
      usage.blobs++;
      const own = set.filter((url) => parseBlobAddress(url) !== null);
      const sizes = await Promise.all(own.map((url) => sizeOf(ddfs, url)));
      const found = sizes.filter((size) => size !== null);
      usage.bytes += Math.max(0, ...found);
      usage.storedBytes += found.reduce((sum, size) => sum + size, 0);
      if (own.length === 0) usage.elsewhere++;
      else if (found.length === 0) usage.missing++;
      counter.count(1);
    });
  } finally {
    counter.close();
  }
  return usage;
}

/** `null`: it is not there, or its node does not answer. */
async function sizeOf({ api }: OpenDdfs, url: string): Promise<number | null> {
  try {
    return (await api.statBlob(url))?.size ?? null;
  } catch (error) {
    if (error instanceof CommError) return null;
    throw error;
  }
}
