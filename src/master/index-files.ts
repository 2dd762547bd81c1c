/**
 * Indexes of results (`dir://`), as a master reads them: from its own disk, from the node that has it, or wherever the address leads.
 * Who submits a job may call anything an index: no more of it is taken than an index may have.
 */
import { existsSync } from "node:fs";
import { DataError } from "../errors.ts";
import { type IndexEntry, parseIndexText, readIndex } from "../schemes/dir.ts";
import { fileBelow, parseDiscoUrl } from "../schemes/disco.ts";
import type { DistantFiles } from "./distant-files.ts";

/** A million lines. */
export const indexBytesMax = 256 * 1024 * 1024;

/** Beside homes of jobs there are other files on a master's disk. */
const jobFile = /^\/disco\/[^/]+\/[0-9a-f]{2}\/[^/]+\/./s;

export interface IndexFilesParts {
  readonly dataDir: string;
  /** The node whose files are in `dataDir`, and nowhere else. Absent: none. */
  readonly host?: string;
  /** Absent: there are no other machines. */
  readonly distant?: Pick<DistantFiles, "index">;
  /** Of an index. Default: 256 MiB. */
  readonly bytesMax?: number;
}

/** @throws DiscoError that says why it cannot be read */
export async function readIndexFile(
  url: string,
  { dataDir, host, distant, bytesMax = indexBytesMax }: IndexFilesParts,
): Promise<IndexEntry[]> {
  const address = parseDiscoUrl(url);
  if (!jobFile.test(address.path))
    throw new DataError(`${url} is no address of a file of a job`, { code: "bad-index", url });
  if (existsSync(fileBelow(dataDir, address))) return await readIndex(url, { host: address.node, dataDir }, bytesMax);
  // With a port it is the way of a client to a node: to one of this cluster, or to one of that name in another cluster.
  const mayBeElsewhere = address.port !== null;
  if (address.node === host && !mayBeElsewhere)
    throw new DataError(`no such file: ${url}`, { code: "no-such-file", url });
  const bytes = await distant?.index(address).catch((error: unknown) => {
    if (!mayBeElsewhere) throw error;
    return undefined;
  });
  if (bytes !== undefined) return parseIndexText(bytes, url);
  return await readIndex(url, { isHasty: true }, bytesMax);
}
