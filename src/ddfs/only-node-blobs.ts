/** The blobs of the only node there is, which runs in this process: whatever host an address names, they are here. */
import { Readable } from "node:stream";
import type { Blobs } from "../blobs/blobs.ts";
import type { BlobTarget, NodeSpace, PutBlob } from "../client/ddfs/ddfs-api.ts";
import type { BlobAddress } from "../core/ddfs/names.ts";
import type { StoredBlob } from "../protocol/ddfs/messages.ts";
import type { NodeBlobs, OpenedReplica } from "./node-blobs.ts";

export interface OnlyNodeBlobsParts {
  readonly host: string;
  readonly blobs: Blobs;
  /** Garbage collection empties the node. */
  readonly leaving: () => boolean;
  /** Base URL under which clients put blobs. */
  readonly url: () => string;
}

export class OnlyNodeBlobs implements NodeBlobs {
  readonly #parts: OnlyNodeBlobsParts;

  constructor(parts: OnlyNodeBlobsParts) {
    this.#parts = parts;
  }

  async spaces(): Promise<NodeSpace[]> {
    const { host, blobs, leaving } = this.#parts;
    return [{ host, connected: true, leaving: leaving(), volumes: await blobs.volumes() }];
  }

  urlFor(_host: string, object: string, master = this.#parts.url()): string {
    return `${master}/ddfs/${object}`;
  }

  put({ object }: BlobTarget, body: AsyncIterable<Uint8Array>, { size, digest, signal }: PutBlob): Promise<StoredBlob> {
    signal?.throwIfAborted();
    const ended = signal === undefined ? body : Readable.from(body, { objectMode: true, signal });
    return this.#parts.blobs.put(object, ended, { size, digest });
  }

  async open(
    { object }: BlobAddress,
    { from, signal }: { readonly from?: number; readonly signal?: AbortSignal },
  ): Promise<OpenedReplica | null> {
    signal?.throwIfAborted();
    const opened = await this.#parts.blobs.open(object, from === undefined ? undefined : { from, to: null });
    if (opened === null) return null;
    const stop = (): void => void opened.body.destroy(signal?.reason as Error);
    signal?.addEventListener("abort", stop, { once: true });
    opened.body.once("close", () => signal?.removeEventListener("abort", stop));
    return opened;
  }

  stat({ object }: BlobAddress): Promise<StoredBlob | null> {
    return this.#parts.blobs.stat(object);
  }
}
