/**
 * The records of one result file, by the batch: parallel columns where the file holds Disco's blocks, else lists of entries.
 */
import { openBlobReplicas } from "../schemes/blob-replicas.ts";
import { openUrl, schemeOf } from "../schemes/open.ts";
import type { ByteSource } from "../schemes/scheme.ts";
import { sized } from "../schemes/sized.ts";
import { ownRecipe } from "../worker/own.ts";
import { Records } from "../worker/storage/batch.ts";
import { BatchIterator } from "../worker/streams/batches.ts";
import { blocksInstead } from "../worker/streams/chain.ts";
import { type AnyInputStream, openChain } from "../worker/streams/input-chain.ts";
import { openReplicas } from "../worker/streams/replicas.ts";
import { isIterable, type Stream } from "../worker/streams/stream.ts";
import { isHere, placeOf } from "./data-place.ts";
import type { ResultFile } from "./result-addresses.ts";

/** Records taken at a time from a reader that does not know batches. */
const batchRecords = 1024;

export type RecordBatch =
  | { readonly keys: readonly unknown[]; readonly values: readonly unknown[]; readonly n: number }
  | { readonly entries: readonly unknown[]; readonly n: number };

export interface ReadOptions {
  /** At least one. */
  readonly chain: readonly AnyInputStream[];
  readonly params: unknown;
  readonly notifier: ((url: string) => void) | undefined;
}

/** Opens the first replica that works; a later failure goes on with the next, at the same record. */
export function openRecords({ replicas, size }: ResultFile, options: ReadOptions): Stream<unknown> {
  const chain = options.chain.map((fn) => ({ name: fn.name || "reader", fn }));
  const isOwn = options.chain.every((fn) => ownRecipe(fn) !== undefined);
  const openOne = (url: string, hasty = false): ByteSource => {
    options.notifier?.(url);
    const place = { ...placeOf(url), ...(hasty ? { isHasty: true } : {}) };
    const opened = openUrl(url, size === null ? place : { ...place, size });
    return size === null ? opened : sized(opened, size);
  };
  const chained = (source: ByteSource, isHereAll: boolean): Stream<unknown> =>
    openChain(isOwn && !isHereAll ? withoutBlocking(source) : source, chain, options.params);
  // Replicas of a blob have the same bytes: one goes on where another failed.
  if (replicas.length > 1 && replicas.every(isBlob)) {
    const source = openBlobReplicas(replicas, {}, (url, { isHasty }) => openOne(url, isHasty));
    return chained(source, replicas.every(isLocal));
  }
  return openReplicas(replicas, (url) => chained(openOne(url), isLocal(url)));
}

function isBlob(url: string): boolean {
  return /^disco:\/\/[^/]+\/(?:proxy\/[^/]+\/GET\/)?ddfs\//.test(url);
}

/** Whether reading an address synchronously blocks for no longer than a disk does. */
export function isLocal(url: string): boolean {
  const scheme = schemeOf(url);
  if (scheme === "file" || scheme === "raw") return true;
  return isHere(url);
}

/** Our own readers take whichever kind of stream there is; over a network only the async one leaves the event loop alone. */
function withoutBlocking(source: ByteSource): ByteSource {
  const { url, size } = source;
  return { url, size, [Symbol.asyncIterator]: () => source[Symbol.asyncIterator]() } as ByteSource;
}

/** The batches of a synchronous stream. */
export function* batchesOf(stream: Iterable<unknown>): Generator<RecordBatch, void> {
  if (stream instanceof Records) {
    try {
      for (let batch = stream.nextBatch(); batch !== null; batch = stream.nextBatch()) yield batch;
    } finally {
      stream.close();
    }
    return;
  }
  if (stream instanceof BatchIterator) {
    try {
      for (let entries = stream.nextBatch(); entries !== null; entries = stream.nextBatch()) {
        yield { entries: entries as readonly unknown[], n: entries.length };
      }
    } finally {
      stream.return();
    }
    return;
  }
  let entries: unknown[] = [];
  for (const entry of stream) {
    entries.push(entry);
    if (entries.length < batchRecords) continue;
    yield { entries, n: entries.length };
    entries = [];
  }
  if (entries.length > 0) yield { entries, n: entries.length };
}

/**
 * The same items, each asked for before the one in front of it is given out: while a loop waits for something of its own, the
 * next block comes in. A failure is thrown where the item would have been. Leaving early waits for the item on its way.
 */
export async function* aheadOf<T>(items: AsyncIterable<T>): AsyncGenerator<T, void> {
  const iterator = items[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (let item = await next; item.done !== true; item = await next) {
      next = iterator.next();
      // It is awaited in its turn, which may be late.
      next.catch(() => undefined);
      yield item.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** The batches of any stream, with a pause for the event loop after each. */
export async function* batchesInTime(stream: Stream<unknown>): AsyncGenerator<RecordBatch, void> {
  if (!isIterable(stream)) {
    const blocks = blocksInstead(stream);
    if (blocks !== null) {
      yield* aheadOf(blocks);
      return;
    }
    for await (const entry of stream) yield { entries: [entry], n: 1 };
    return;
  }
  for (const batch of batchesOf(stream)) {
    yield batch;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
