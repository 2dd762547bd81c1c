/**
 * From what stands for results (addresses, replica lists, a job, an item of `Disco.results`) to the addresses of the files that
 * hold the records, in order: `dir://` indexes are replaced by what they list.
 */
import { DiscoError } from "../errors.ts";
import type { IndexEntry } from "../schemes/dir.ts";
import { isJob } from "./job-mark.ts";
import { shown } from "./option-checks.ts";
import { indexAt, indexAtSync } from "./result-index.ts";
import { isResultItem } from "./results.ts";

/** Addresses with the same data. */
export type ReplicaList = readonly string[];

/** One file of results. */
export interface ResultFile {
  readonly replicas: ReplicaList;
  /** Its size in bytes, where an index says so. */
  readonly size: number | null;
}

/** Waits for jobs. Throws `DiscoError` `bad-results`. */
export async function listResults(source: unknown): Promise<ReplicaList[]> {
  return listResultsSync(isJob(source) ? await source.wait() : source);
}

export function listResultsSync(source: unknown): ReplicaList[] {
  if (isJob(source)) {
    throw new DiscoError("a job cannot be waited for synchronously", {
      code: "bad-results",
      hint: "Use for await, or pass the results: resultIterator(await job.wait()).",
    });
  }
  if (isResultItem(source)) return listResultsSync(source[1][1]);
  if (typeof source === "string" || source instanceof URL) return [[String(source)]];
  if (!Array.isArray(source)) throw badResults(source);
  return source.map((item: unknown) => {
    if (typeof item === "string" || item instanceof URL) return [String(item)];
    if (Array.isArray(item) && item.length > 0 && item.every((url) => typeof url === "string")) return item as string[];
    throw badResults(item);
  });
}

/** The files behind one result. Throws what reading the last replica of an index, or a tag, threw. */
export async function filesBehind(replicas: ReplicaList): Promise<ResultFile[]> {
  const [first = ""] = replicas;
  if (first.startsWith("tag://") && replicas.length === 1) {
    const { blobsOfTag } = await import("./ddfs/tag-sources.ts");
    const files: ResultFile[] = [];
    // A tag may name indexes, as any other addresses.
    for (const blob of await blobsOfTag(first)) files.push(...(await filesBehind(blob)));
    return files;
  }
  if (!isIndex(replicas)) return [{ replicas, size: null }];
  let failure: unknown;
  for (const url of replicas) {
    try {
      return filesOf(await indexAt(url));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** As `filesBehind`, of results on this machine only. */
export function filesBehindSync(replicas: ReplicaList): ResultFile[] {
  const [first = ""] = replicas;
  if (first.startsWith("tag://")) {
    throw new DiscoError(`${first} cannot be read synchronously: its master has to be asked`, {
      code: "bad-results",
      url: first,
      hint: "Use for await (… of resultIterator(…)).",
    });
  }
  if (!isIndex(replicas)) return [{ replicas, size: null }];
  let failure: unknown;
  for (const url of replicas) {
    try {
      return filesOf(indexAtSync(url));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function isIndex(replicas: ReplicaList): boolean {
  return replicas.every((url) => url.startsWith("dir://"));
}

function filesOf(entries: readonly IndexEntry[]): ResultFile[] {
  return entries.map(({ url, size }) => ({ replicas: [url], size }));
}

function badResults(got: unknown): DiscoError {
  return new DiscoError(`resultIterator: addresses of results or a job were expected, not ${shown(got)}`, {
    code: "bad-results",
  });
}

/**
 * The addresses that a `dir://` address stands for (the seed: `disco.util.parse_dir`), all of them or those of one partition.
 * @throws DataError when the index cannot be read
 */
export async function parseDir(url: string, partition?: number): Promise<string[]> {
  const entries = await indexAt(url);
  return entries.filter(({ label }) => partition === undefined || label === partition).map((entry) => entry.url);
}
