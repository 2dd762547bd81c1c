/**
 * One stream to several nodes at once: it is read once, and as fast as the slowest node that still takes it.
 *
 *   source ─▶ digest ─▶ a queue of two chunks for each node ─▶ put
 *
 * A node that fails is left behind, and the others go on; so is one that takes nothing for minutes, which would hold up all. What the
 * source throws ends all of it: that is no node's fault.
 */
import { createHash } from "node:crypto";
import { CommError, DataError } from "../../errors.ts";
import type { StoredBlob } from "../../protocol/ddfs/messages.ts";
import type { BlobTarget, DdfsApi } from "./ddfs-api.ts";

export interface FanOutOptions {
  readonly targets: readonly BlobTarget[];
  /** Bytes that there will be; `null`: not known. */
  readonly size: number | null;
  /** SHA-256 in hex, where it is known: then nodes are told, and refuse other bytes. */
  readonly digest?: string | undefined;
  /** Told the number of bytes so far. */
  readonly progress?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long a node may take nothing. */
  readonly stallMs?: number;
}

export type Stored = StoredBlob & { readonly url: string };

/** What became of it at one node. */
export type Upload =
  | { readonly target: BlobTarget; readonly stored: Stored; readonly failure?: undefined }
  | { readonly target: BlobTarget; readonly stored?: undefined; readonly failure: Error };

/** `read`: bytes that were taken from the source, all of them unless every node failed before. */
export interface FannedOut {
  readonly uploads: readonly Upload[];
  readonly read: number;
  readonly digest: string;
}

export class SourceError extends Error {
  constructor(cause: unknown) {
    super("the source failed", { cause });
  }
}

const queueChunks = 2;
/** Longer than connections wait for a node (`remote/node-connection.ts`), which know better what happened. */
const usualStallMs = 150_000;

/** @throws SourceError around what the source threw; what aborted `signal` */
export async function fanOut(
  api: Pick<DdfsApi, "putBlob">,
  source: AsyncIterable<Uint8Array>,
  { targets, size, digest, progress, signal, stallMs = usualStallMs }: FanOutOptions,
): Promise<FannedOut> {
  const feeds = targets.map(() => new Feed(stallMs, signal));
  const puts = targets.map(async (target, i): Promise<Upload> => {
    const feed = feeds[i] as Feed;
    try {
      const options = {
        signal: feed.signal,
        isCompared: true,
        ...(size === null ? {} : { size }),
        ...(digest === undefined ? {} : { digest }),
      };
      const stored = await api.putBlob(target, feed, options);
      return { target, stored };
    } catch (error) {
      return { target, failure: feed.stalled ?? (error as Error) };
    } finally {
      feed.leave();
    }
  });
  const hash = createHash("sha256");
  let read = 0;
  try {
    for await (const chunk of guarded(source, signal)) {
      hash.update(chunk);
      read += chunk.length;
      const live = feeds.filter((feed) => !feed.left);
      if (live.length === 0) break;
      await Promise.all(live.map((feed) => feed.offer(chunk)));
      progress?.(read);
    }
    if (size !== null && read !== size && feeds.some((feed) => !feed.left)) throw new SourceError(changed(read, size));
  } catch (error) {
    for (const feed of feeds) feed.fail(error);
    await Promise.all(puts);
    throw error;
  }
  for (const feed of feeds) feed.end();
  const sum = hash.digest("hex");
  const uploads = (await Promise.all(puts)).map((upload) => checked(upload, read, sum));
  signal?.throwIfAborted();
  return { uploads, read, digest: sum };
}

/** A node that says it has other bytes than were sent has failed. */
function checked(upload: Upload, size: number, digest: string): Upload {
  const { target, stored } = upload;
  if (stored === undefined || (stored.size === size && stored.digest === digest)) return upload;
  const failure = new CommError(`${target.host} stored other bytes of ${target.object} than were sent`, {
    code: "digest-mismatch",
    node: target.host,
    url: target.url,
  });
  return { target, failure };
}

/** What the source throws as a SourceError. A source that gives nothing, standard input say, does not hold up who aborts. */
async function* guarded(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  // Between two chunks nobody waits for it.
  aborted.catch(() => undefined);
  const abort = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = chunks.next().catch((error: unknown) => {
        throw new SourceError(error);
      });
      const step = await Promise.race([next, aborted]);
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    const closed = chunks.return?.();
    if (signal?.aborted === true) closed?.catch(() => undefined);
    else await closed;
  }
}

function changed(read: number, size: number): DataError {
  return new DataError(`${read} bytes came, ${size} were there when it began`, {
    code: "file-changed",
    retry: "never",
    hint: "It changed while it was pushed: push it when nobody writes to it.",
  });
}

/** The chunks of one node. */
class Feed implements AsyncIterable<Uint8Array> {
  left = false;
  stalled: Error | null = null;
  readonly #queue: Uint8Array[] = [];
  readonly #stallMs: number;
  readonly #abort = new AbortController();
  readonly signal: AbortSignal;
  #ended = false;
  #failure: unknown = null;
  #wakeReader: (() => void) | null = null;
  #wakeWriter: (() => void) | null = null;

  constructor(stallMs: number, signal: AbortSignal | undefined) {
    this.#stallMs = stallMs;
    this.signal = signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]);
  }

  /** Resolves when there is room for another one, or nobody takes any more. */
  async offer(chunk: Uint8Array): Promise<void> {
    if (this.left) return;
    this.#queue.push(chunk);
    this.#wakeReader?.();
    if (this.#queue.length < queueChunks) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakeWriter = resolve;
    const timer = setTimeout(() => this.#stall(), this.#stallMs);
    await promise;
    clearTimeout(timer);
  }

  end(): void {
    this.#ended = true;
    this.#wakeReader?.();
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#abort.abort(error);
    this.#wakeReader?.();
  }

  /** The node takes no more. */
  leave(): void {
    this.left = true;
    this.#queue.length = 0;
    this.#wakeWriter?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        this.#wakeWriter?.();
        yield chunk;
      } else if (this.#ended) return;
      else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wakeReader = resolve;
        await promise;
        this.#wakeReader = null;
      }
    }
  }

  #stall(): void {
    this.stalled = new CommError(`a node took nothing for ${this.#stallMs / 1000} s`, { code: "stalled" });
    this.#abort.abort(this.stalled);
    this.leave();
  }
}
