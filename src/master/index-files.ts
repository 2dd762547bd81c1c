/** Indexes of results (`dir://`), as a master reads them: from its own disk, from the node that has it, or wherever the address leads. */
import { existsSync } from "node:fs";
import { DataError } from "../errors.ts";
import { type IndexEntry, parseIndexText, readIndex } from "../schemes/dir.ts";
import { fileBelow, parseDiscoUrl } from "../schemes/disco.ts";
import type { DistantFiles } from "./distant-files.ts";

export interface IndexFilesParts {
  readonly dataDir: string;
  /** The node whose files are in `dataDir`, and nowhere else. Absent: none. */
  readonly host?: string;
  /** Absent: there are no other machines. */
  readonly distant?: Pick<DistantFiles, "index">;
}

/** @throws DiscoError that says why it cannot be read */
export async function readIndexFile(url: string, { dataDir, host, distant }: IndexFilesParts): Promise<IndexEntry[]> {
  const address = parseDiscoUrl(url);
  if (existsSync(fileBelow(dataDir, address))) return await readIndex(url, { host: address.node, dataDir });
  if (address.node === host) throw new DataError(`no such file: ${url}`, { code: "no-such-file", url });
  const bytes = address.port === null ? await distant?.index(address) : undefined;
  if (bytes !== undefined) return parseIndexText(bytes, url);
  return await readIndex(url, { isHasty: true });
}
