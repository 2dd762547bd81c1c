/**
 * Lists of URLs as clients send them, checked and brought into the form in which the journal has them: a line a blob, tabs between its
 * replicas. Long lists come out in parts, each of which fits into a record.
 */
import type { UrlText } from "../core/ddfs/events.ts";
import { parseBlobAddress, tagOf } from "../core/ddfs/names.ts";
import { DiscoError } from "../errors.ts";

/** Characters of one URL at most. */
const urlLengthMax = 4_096;
/** Replicas of one blob at most. */
const replicasMax = 64;
/** Characters of a part. A record of any journal holds it, also where each of them takes four bytes. */
export const partLength = 128 * 1024;

/** Anything printable without spaces, which would be more than one URL. */
const urlPattern = /^[^\s\p{Cc}\p{Zs}]+$/u;

/**
 * Parts of the list, in order; a list that has no lines is one empty part.
 * @throws DiscoError `bad-url` naming the place in the list
 */
export function urlParts(urls: unknown): UrlText[] {
  if (!Array.isArray(urls)) throw badUrl("a list of lists of URLs was expected");
  const list = new UrlParts();
  for (const set of urls) list.add(set);
  return list.parts();
}

/** The same, of a list that comes bit by bit. */
export class UrlParts {
  readonly #parts: UrlText[] = [];
  #lines: string[] = [];
  #length = 0;
  #count = 0;

  /** @throws DiscoError `bad-url` */
  add(set: unknown): void {
    const line = lineOf(set, this.#count++);
    if (this.#length > 0 && this.#length + line.length > partLength) this.#close();
    this.#lines.push(line);
    this.#length += line.length + 1;
  }

  parts(): UrlText[] {
    this.#close();
    return this.#parts;
  }

  #close(): void {
    // In one piece: a text that is glued together piece by piece is held as all of its pieces.
    this.#parts.push(this.#lines.join("\n"));
    this.#lines = [];
    this.#length = 0;
  }
}

function lineOf(set: unknown, i: number): string {
  const replicas: unknown = typeof set === "string" ? [set] : set;
  if (!Array.isArray(replicas) || replicas.length === 0)
    throw badUrl(`entry ${i} of the list is not a list of URLs with one at least`);
  if (replicas.length > replicasMax) throw badUrl(`entry ${i} has ${replicas.length} replicas, ${replicasMax} at most`);
  for (const url of replicas) assertUrl(url, i);
  return replicas.join("\t");
}

function assertUrl(url: unknown, i: number): void {
  if (typeof url !== "string" || url.length > urlLengthMax || !urlPattern.test(url))
    throw badUrl(`entry ${i} has ${JSON.stringify(url)?.slice(0, 200) ?? "nothing"}, which is no URL`);
  if (/\/\.\.(?:[/?#]|$)/.test(url)) throw badUrl(`entry ${i}: ${url} leads up`);
  if (url.startsWith("tag:") && tagOf(url) === null) throw badUrl(`entry ${i}: ${url} is not the address of a tag`);
  if (/^disco:\/\/[^/]*\/ddfs\//.test(url) && parseBlobAddress(url) === null)
    throw badUrl(`entry ${i}: ${url} is not the address of a blob`);
}

export function badUrl(message: string): DiscoError {
  return new DiscoError(message, {
    code: "bad-url",
    hint: 'A list of lists is expected, one for each blob with the URLs of its replicas: [["disco://…","disco://…"],["tag://other"]].',
  });
}
