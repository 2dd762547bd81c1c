import { DataError } from "../../errors.ts";
import { own } from "../own.ts";
import { type Batch, Records } from "../storage/batch.ts";
import { readBlockBatches, readBlocks, readBlocksAsync } from "../storage/read-blocks.ts";
import { isAsyncIterable, isIterable } from "./stream.ts";

/**
 * Entries are the `[key, value]` pairs of an earlier job's results. The default reader of `reduce`.
 */
export const chainReader = own(
  "chainReader",
  // What an earlier job wrote is known to who made it.
  // biome-ignore lint/suspicious/noExplicitAny: as JSON.parse
  (stream: Iterable<Uint8Array>, _size: number, url: string, _params?: unknown): IterableIterator<[any, any]> => {
    if (isIterable(stream)) return named(readBlocks(stream), url) as unknown as IterableIterator<[unknown, unknown]>;
    if (isAsyncIterable(stream)) {
      const records = namedAsync(readBlocksAsync(stream as AsyncIterable<Uint8Array>), url);
      unread.set(records, { stream: stream as AsyncIterable<Uint8Array>, url });
      return records as unknown as IterableIterator<[unknown, unknown]>;
    }
    throw new TypeError("chainReader reads a stream of byte chunks");
  },
);

/** The same records, whose errors say where they were read from. */
function named(records: Records, url: string): Records {
  return new Records({
    nextBatch() {
      try {
        return records.nextBatch();
      } catch (error) {
        throw withUrl(error, url);
      }
    },
    close: () => records.close(),
  });
}

/** What the records that `chainReader` made of an asynchronous stream come from. */
const unread = new WeakMap<object, { readonly stream: AsyncIterable<Uint8Array>; readonly url: string }>();

/**
 * Instead of records of which none was read yet, their blocks: a promise for each of them and not for each record. `null`: these are
 * no such records.
 */
export function blocksInstead(records: object): AsyncIterable<Batch> | null {
  const source = unread.get(records);
  if (source === undefined) return null;
  unread.delete(records);
  return namedAsync(readBlockBatches(source.stream), source.url);
}

async function* namedAsync<T>(stream: AsyncIterable<T>, url: string): AsyncGenerator<T, void, undefined> {
  try {
    yield* stream;
  } catch (error) {
    throw withUrl(error, url);
  }
}

function withUrl(error: unknown, url: string): unknown {
  if (!(error instanceof DataError) || error.url !== undefined) return error;
  return new DataError(`${url}: ${error.message}`, {
    code: error.code,
    retry: error.retry,
    url,
    cause: error,
    hint: "chainReader reads results of Disco's jobs in Disco's own format; other data needs another reader.",
  });
}
