/**
 * The bytes of what is pushed, as often as nodes fail. What can be opened again is opened again. Of a stream the first megabytes are kept:
 * mostly a node fails at once. Later it is read from a node that has all of it, if there is one, and else the stream is lost.
 */
import { DiscoError } from "../../errors.ts";
import type { DdfsApi } from "./ddfs-api.ts";
import type { Stored } from "./fan-out.ts";
import type { PushSource } from "./push-source.ts";
import { readReplicas } from "./replica-reader.ts";

/** Of each stream that is on its way. */
export const keptBytesMax = 8 * 1024 * 1024;

export class PushInput {
  readonly #api: Pick<DdfsApi, "openBlob">;
  readonly #source: PushSource;
  #rest: AsyncIterator<Uint8Array> | null = null;
  /** All chunks that were read; `null`: they were too many. */
  #kept: Uint8Array[] | null = [];
  #keptBytes = 0;
  #stored: readonly Stored[] = [];

  constructor(api: Pick<DdfsApi, "openBlob">, source: PushSource) {
    this.#api = api;
    this.#source = source;
  }

  /** `failure`: why it has to be opened once more. @throws DiscoError `stream-lost` */
  open(failure?: Error): AsyncIterable<Uint8Array> {
    if (this.#source.again) return this.#source.open();
    if (this.#kept !== null) return this.#streamed(this.#kept);
    const urls = this.#stored.map(({ url }) => url);
    if (urls.length > 0) return readReplicas(this.#api, urls);
    throw new DiscoError(`${this.#source.shown} is a stream that cannot be read again, and a node failed`, {
      code: "stream-lost",
      cause: failure,
      hint: "Push a file, or { name, data: () => openStream() }: a function is called again.",
    });
  }

  /** What can be said beforehand of what `open` gives. */
  get known(): { readonly size: number | null; readonly digest?: string } {
    const [stored] = this.#stored;
    if (this.#source.again || this.#kept !== null || stored === undefined) return { size: this.#source.size };
    return { size: stored.size, digest: stored.digest };
  }

  /** Nodes that have all of it by now. */
  stored(blobs: readonly Stored[]): void {
    if (blobs.length > 0) this.#stored = blobs;
  }

  /** `isAborted`: the stream may give nothing for long, and is not waited for. */
  async close(isAborted: boolean): Promise<void> {
    this.#kept = null;
    const closed = this.#rest?.return?.();
    if (isAborted) closed?.catch(() => undefined);
    else await closed;
  }

  /** What was read before, then the rest of the stream: which is left open, whoever stops reading. */
  async *#streamed(kept: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
    for (let i = 0; i < kept.length; i++) yield kept[i] as Uint8Array;
    this.#rest ??= this.#source.open()[Symbol.asyncIterator]();
    for (;;) {
      const step = await this.#rest.next();
      if (step.done === true) return;
      // Who made the stream may use its memory again, and a node still has this to take.
      const chunk = Uint8Array.from(step.value);
      this.#keptBytes += chunk.length;
      if (this.#keptBytes > keptBytesMax) this.#kept = null;
      this.#kept?.push(chunk);
      yield chunk;
    }
  }
}
