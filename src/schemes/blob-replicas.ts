/**
 * A blob by the first of its replicas that works. Replicas of a blob have the same bytes: where one fails, the next goes on behind the
 * last byte that was given out, after what comes before it was compared with what was.
 *
 * BR1. Who reads to the end has read one blob whose digest is right, from the first byte to the last: an end is reached only by a replica
 *      that was checked as a whole, and all that others gave is equal to the beginning of that one.
 * BR2. A replica that contradicts what was given out ends the reading: nobody knows here which of the two is damaged, and what was
 *      given out cannot be taken back. The task is tried again; by then nodes have found out whose bytes are wrong.
 */
import { crc32 } from "node:zlib";
import { CommError, DataError } from "../errors.ts";
import { type ByteSource, lend, type SchemeContext } from "./scheme.ts";

/** Opens one replica; `context` is hasty where others are left. */
export type OpenReplica = (url: string, context: SchemeContext) => ByteSource;

/** `urls`: at least one. */
export function openBlobReplicas(urls: readonly string[], context: SchemeContext, open: OpenReplica): ByteSource {
  const [url = ""] = urls;
  if (urls.length === 1) return open(url, context);
  const begin = (): Continuation => new Continuation(urls, context, open);
  return {
    url,
    size: 0,
    [Symbol.iterator]: () => read(begin(), (source) => source),
    [lend]: () => read(begin(), (source) => source[lend]?.() ?? source),
    [Symbol.asyncIterator]: () => readAsync(begin()),
  };
}

function* read(
  reading: Continuation,
  chunks: (source: ByteSource) => Iterable<Uint8Array>,
): Generator<Uint8Array, void> {
  for (;;) {
    try {
      for (const chunk of chunks(reading.next())) {
        const fresh = reading.fresh(chunk);
        if (fresh.length > 0) yield fresh;
      }
      reading.ended();
      return;
    } catch (error) {
      reading.failed(error);
    }
  }
}

async function* readAsync(reading: Continuation): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    try {
      for await (const chunk of reading.next()) {
        const fresh = reading.fresh(chunk);
        if (fresh.length > 0) yield fresh;
      }
      reading.ended();
      return;
    } catch (error) {
      reading.failed(error);
    }
  }
}

class Continuation {
  readonly #urls: readonly string[];
  readonly #context: SchemeContext;
  readonly #open: OpenReplica;
  readonly #reasons: string[] = [];
  #at = 0;
  /** Bytes given out, and their checksum. */
  #given = 0;
  #checksum = 0;
  /** Of the present replica: bytes that are still to be compared, and the checksum of those that were. */
  #toSkip = 0;
  #skipped = 0;

  constructor(urls: readonly string[], context: SchemeContext, open: OpenReplica) {
    this.#urls = urls;
    this.#context = context;
    this.#open = open;
  }

  next(): ByteSource {
    const url = this.#urls[this.#at++] as string;
    this.#toSkip = this.#given;
    this.#skipped = 0;
    return this.#open(url, this.#at < this.#urls.length ? { ...this.#context, isHasty: true } : this.#context);
  }

  /** The part of the chunk that was not given out before. */
  fresh(chunk: Uint8Array): Uint8Array {
    let rest = chunk;
    if (this.#toSkip > 0) {
      const known = chunk.subarray(0, this.#toSkip);
      this.#skipped = crc32(known, this.#skipped);
      this.#toSkip -= known.length;
      if (this.#toSkip === 0 && this.#skipped !== this.#checksum) throw this.#contradiction();
      rest = chunk.subarray(known.length);
    }
    this.#checksum = crc32(rest, this.#checksum);
    this.#given += rest.length;
    return rest;
  }

  ended(): void {
    if (this.#toSkip > 0) throw this.#contradiction();
  }

  /** @throws the error, unless another replica may not have it */
  failed(error: unknown): void {
    const passes = (error instanceof DataError || error instanceof CommError) && !(error instanceof Contradiction);
    if (!passes) throw error;
    this.#reasons.push(error.message);
    if (this.#at === this.#urls.length) throw this.#noneLeft(error);
  }

  #contradiction(): DataError {
    const [before = "", now = ""] = this.#urls.slice(this.#at - 2, this.#at);
    return new Contradiction(`${now} has not the bytes that ${before} began with: one of the two is damaged`, {
      code: "blob-damaged",
      url: now,
    });
  }

  #noneLeft(cause: unknown): DataError {
    const url = this.#urls[0] ?? "";
    return new DataError(
      `none of ${this.#urls.length} replicas can be read:\n${this.#reasons.map((reason) => `  ${reason}`).join("\n")}`,
      { code: "no-replica", url, cause, hint: "`ddfs fsck` says what is left of the blob." },
    );
  }
}

class Contradiction extends DataError {}
