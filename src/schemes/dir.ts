/**
 * `dir://` names an index of result files, one a line: `LABEL SP URL SP SIZE LF`. Opened as an input it is the contents of all of
 * them, in order.
 */
import { DataError } from "../errors.ts";
import { isIndexText } from "../protocol/checksums.ts";
import { type DiscoAddress, openDisco, parseDiscoUrl } from "./disco.ts";
import type { ByteSource, Scheme, SchemeContext } from "./scheme.ts";
import { sized } from "./sized.ts";

export interface IndexEntry {
  readonly label: number;
  readonly url: string;
  /** Bytes. */
  readonly size: number;
}

/** Characters that are shown of a line that is none of an index. */
const shownChars = 200;

/** The lines of an index. Throws `DataError` `bad-index` naming the line. */
export function parseIndex(text: string, url: string): IndexEntry[] {
  const entries: IndexEntry[] = [];
  const lines = text.split("\n");
  // A task that output nothing has an empty index.
  if (lines.pop() !== "") throw indexError(url, lines.length + 1, "it is cut off");
  for (const [i, line] of lines.entries()) {
    const match = /^(\d{1,15}) (\S+) (\d{1,15})$/.exec(line);
    if (match === null) throw indexError(url, i + 1, `"label address size" was expected, not ${shown(line)}`);
    entries.push({ label: Number(match[1]), url: match[2] as string, size: Number(match[3]) });
  }
  return entries;
}

/** The inverse of `parseIndex`. */
export function formatIndex(entries: readonly IndexEntry[]): string {
  return entries.map((entry) => `${entry.label} ${entry.url} ${entry.size}\n`).join("");
}

/**
 * Reads the index at a `dir://` address, blocking. Entries of the index's own node are where the index is: the node may know
 * itself by a name that means nothing here, or leads elsewhere.
 */
export function readIndexSync(url: string, context: SchemeContext): IndexEntry[] {
  const address = parseDiscoUrl(url);
  return listed(Buffer.concat([...openDisco(url, address, context)]), url, address);
}

/**
 * As `readIndexSync`, without blocking.
 * @param bytesMax of what calls itself an index. Default: none
 */
export async function readIndex(
  url: string,
  context: SchemeContext,
  bytesMax = Number.POSITIVE_INFINITY,
): Promise<IndexEntry[]> {
  const address = parseDiscoUrl(url);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of openDisco(url, address, context)) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new DataError(`${url}: an index of results has at most ${bytesMax} bytes`, { code: "bad-index", url });
    }
    chunks.push(chunk);
  }
  return listed(Buffer.concat(chunks), url, address);
}

/** As `readIndex`, of the bytes of the index at `url`. */
export function parseIndexText(bytes: Uint8Array, url: string): IndexEntry[] {
  return listed(Buffer.from(bytes), url, parseDiscoUrl(url));
}

function listed(bytes: Buffer, url: string, address: DiscoAddress): IndexEntry[] {
  const text = bytes.toString();
  if (!isIndexText(address.path, text)) {
    throw new DataError(`${url}: the index is damaged (its checksum differs)`, { code: "bad-index", url });
  }
  return parseIndex(text, url).map((entry) => ({ ...entry, url: besideIndex(entry.url, address) }));
}

/** An entry's address, as it is reached by one who has read the index at `index`. */
function besideIndex(url: string, { host, port, node }: DiscoAddress): string {
  // Whoever wrote the index knows no files of the machine that reads it.
  if (!/^[a-z][a-z0-9+.-]+:\/\//.test(url) || url.startsWith("file:")) {
    throw new DataError(`${url}, which an index lists, is a local path: indexes list addresses`, {
      code: "bad-index",
      url,
    });
  }
  if (!/^(?:disco|dir):/.test(url)) return url;
  const entry = parseDiscoUrl(url);
  if (entry.node !== node) return url;
  const authority = port === null ? host : `${host}:${port}`;
  return `${url.slice(0, url.indexOf("://") + 3)}${authority}${entry.path}`;
}

/** What an index lists are files of nodes. */
function openListed(url: string, context: SchemeContext): ByteSource {
  return openDisco(url, parseDiscoUrl(url), context);
}

function openEntry({ url, size }: IndexEntry, context: SchemeContext): ByteSource {
  return sized(openListed(url, { ...context, size }), size);
}

export const dirScheme: Scheme = {
  open(url, context) {
    return {
      url,
      size: 0,
      *[Symbol.iterator]() {
        for (const entry of readIndexSync(url, context)) yield* openEntry(entry, context);
      },
      async *[Symbol.asyncIterator]() {
        for (const entry of await readIndex(url, context)) yield* openEntry(entry, context);
      },
    };
  },
};

/** The beginning: what was taken for an index may be anything, in a single line. */
function shown(line: string): string {
  return JSON.stringify(line.length > shownChars ? `${line.slice(0, shownChars)}…` : line);
}

function indexError(url: string, line: number, what: string): DataError {
  return new DataError(`${url}, line ${line}: not an index of results: ${what}`, { code: "bad-index", url });
}
