/**
 * The bytes of a blob, from whichever replica has them. One that fails in the middle is left, and another one goes on at the same byte.
 *
 * The store that has a blob checks what is read of it from the first byte to the last (`blobs/blobs.ts`, BL2), and no part of it. So another
 * replica is read from its start, and what of it was given out already is not given again but summed up: where the sums differ, what was
 * given was damaged, and cannot be taken back. A failure costs reading that part twice; where nothing fails, it costs CRC-32 of what
 * passes (some 5 GB/s), where there are several replicas.
 */
import zlib from "node:zlib";
import { parseBlobAddress } from "../../core/ddfs/names.ts";
import { DataError, DiscoError } from "../../errors.ts";
import { openUrl } from "../../schemes/open.ts";
import { placeOf } from "../data-place.ts";
import type { DdfsApi } from "./ddfs-api.ts";

type BlobReader = Pick<DdfsApi, "openBlob">;

interface Opened {
  /** Bytes; `null`: not known. */
  readonly size: number | null;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface ReadBlobOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told which replica is read, and of those that failed why. */
  readonly notifier?: ((url: string, failure: unknown) => void) | undefined;
}

/**
 * @throws DataError `no-replica` with the reason of each; `replica-differs` where bytes that were given out were wrong
 */
export async function* readReplicas(
  api: BlobReader,
  urls: readonly string[],
  { signal, notifier }: ReadBlobOptions = {},
): AsyncGenerator<Uint8Array, void> {
  const failures: Error[] = [];
  let given = 0;
  let sum = 0;
  for (const url of urls) {
    signal?.throwIfAborted();
    try {
      const { size, body } = await openReplica(api, url, signal);
      let at = 0;
      let sumHere = 0;
      for await (const chunk of body) {
        const again = Math.min(chunk.length, given - at);
        if (again > 0) {
          sumHere = zlib.crc32(chunk.subarray(0, again), sumHere);
          at += again;
          if (at === given && sumHere !== sum) throw differs(url, given);
          if (again === chunk.length) continue;
        }
        const fresh = again > 0 ? chunk.subarray(again) : chunk;
        // Of the only replica nobody asks.
        if (urls.length > 1) sum = zlib.crc32(fresh, sum);
        at += fresh.length;
        given = at;
        yield fresh;
      }
      if (at < given || (size !== null && at !== size)) throw cutOff(url, at, size ?? given);
      return;
    } catch (error) {
      if (signal?.aborted === true || !isReplicaFailure(error)) throw error;
      notifier?.(url, error);
      failures.push(error);
    }
  }
  throw noReplica(urls, failures);
}

/** Opens any address that a tag may have. */
async function openReplica(api: BlobReader, url: string, signal: AbortSignal | undefined): Promise<Opened> {
  if (isBlob(url)) return await api.openBlob(url, signal === undefined ? {} : { signal });
  const source = openUrl(url, placeOf(url));
  return { size: source.size > 0 ? source.size : null, body: source };
}

/** Whether an address is one of a blob of DDFS, and not anything that a tag names. */
export function isBlob(url: string): boolean {
  return /^disco:\/\/[^/]+\/ddfs\//.test(url) || parseBlobAddress(url) !== null;
}

/** In an order of their own for each reader: so a blob that many read is served by all who have it. */
export function shuffled(urls: readonly string[], random: () => number = Math.random): string[] {
  const order = [...urls];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] as string, order[i] as string];
  }
  return order;
}

/** A failure that another replica need not have: anything but what the caller, or this file, did wrong. */
function isReplicaFailure(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error instanceof DiscoError) return error.code !== "replica-differs" && error.code !== "closed";
  // Streams that break off have errors of Node's.
  return "code" in error;
}

function cutOff(url: string, got: number, wanted: number): DataError {
  return new DataError(`${url} ended after ${got} of ${wanted} bytes`, { code: "cut-off", url });
}

function differs(url: string, given: number): DataError {
  return new DataError(`the first ${given} bytes of ${url} are not those that another replica gave`, {
    code: "replica-differs",
    retry: "here",
    url,
    hint: "What was read before was damaged: read the blob again from its start. Nodes leave out what they found damaged.",
  });
}

function noReplica(urls: readonly string[], failures: readonly Error[]): Error {
  if (urls.length === 1 && failures[0] instanceof DiscoError) return failures[0];
  const reasons = failures.map((failure, i) => `\n  ${urls[i]}: ${failure.message}`).join("");
  const [url] = urls;
  return new DataError(`none of ${urls.length} replicas can be read:${reasons}`, {
    code: "no-replica",
    ...(url === undefined ? {} : { url }),
    cause: failures.at(-1),
    hint: "Nodes that are away may have it: try again when they are back. `ddfs fsck` names what is lost.",
  });
}
