/** Reads indexes of results (`dir://`). What that takes is loaded with the first. */
import type { IndexEntry } from "../schemes/dir.ts";
import type { IndexFilesParts } from "./index-files.ts";

/** @throws DiscoError that says why: `no-such-file`, `bad-index`, `index-unreachable` … */
export type ReadIndex = (url: string) => Promise<readonly IndexEntry[]>;

export function indexReader(parts: IndexFilesParts): ReadIndex {
  return async (url) => await (await import("./index-files.ts")).readIndexFile(url, parts);
}
