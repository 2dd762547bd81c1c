/** Indexes of results, `dir://…`, as this process reaches them. */
import { DataError, DiscoError } from "../errors.ts";
import { type IndexEntry, readIndex, readIndexSync } from "../schemes/dir.ts";
import { isEmbedded, isHere, placeOf } from "./data-place.ts";

/** Throws `DataError`: `no-such-file` when the results are not there any more. */
export async function indexAt(url: string): Promise<IndexEntry[]> {
  try {
    return await readIndex(url, placeOf(url));
  } catch (error) {
    throw indexFailure(url, error);
  }
}

/** As `indexAt`. Throws for an index that lies elsewhere: waiting for it would block everything. */
export function indexAtSync(url: string): IndexEntry[] {
  if (!isHere(url)) throw notHere(url);
  try {
    return readIndexSync(url, placeOf(url));
  } catch (error) {
    throw indexFailure(url, error);
  }
}

/** What lies elsewhere, or does not lie here any more, cannot be read synchronously. */
export function notHere(url: string): DiscoError {
  if (isEmbedded(url)) return noResults(url);
  return new DiscoError(`${url} cannot be read synchronously`, {
    code: "bad-results",
    url,
    hint: "Use for await (… of resultIterator(…)).",
  });
}

function indexFailure(url: string, error: unknown): unknown {
  if (!(error instanceof DataError)) return error;
  const isAbsent = error.code === "no-such-file" || error.code === "not-found";
  // An embedded engine's: no root that is known has it, and no daemon answers for another one.
  const isUnreachable = error.code === "download-failed" && isEmbedded(url);
  return isAbsent || isUnreachable ? noResults(url, error) : error;
}

function noResults(url: string, cause?: unknown): DataError {
  return new DataError(`the results ${url} are not there`, {
    code: "no-such-file",
    url,
    cause,
    hint: isEmbedded(url)
      ? "The job was purged, or its engine used another root directory (DISCO_ROOT, or the root of new Disco())."
      : "The job was purged.",
  });
}
