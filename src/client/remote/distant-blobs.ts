/**
 * Blobs of nodes that are elsewhere. A node is asked itself, where the master said how it is reached and it is from here; else the master
 * passes on (`/proxy/NODE/METHOD/…`), which costs the bytes a second way.
 */
import { type PutOptions, putNodeBlob, type ReadBlob, readNodeBlob, statNodeBlob } from "../../blobs/http/node-blob.ts";
import { type BlobAddress, isStoreHost } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import type { StoredBlob } from "../../protocol/ddfs/messages.ts";
import { authorityOf } from "../../schemes/environment.ts";
import type { BlobTarget } from "../ddfs/ddfs-api.ts";
import { knownServers } from "../servers.ts";
import { pathOfBlob } from "./ddfs.ts";
import { NodeConnection, unreachedCode } from "./node-connection.ts";
import type { Questions } from "./questions.ts";

export class DistantBlobs {
  readonly #questions: Pick<Questions, "url">;
  readonly #nodes = new NodeConnection();

  constructor(questions: Pick<Questions, "url">) {
    this.#questions = questions;
  }

  put(
    { host, object, url: asked }: BlobTarget,
    body: AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<StoredBlob & { readonly url: string }> {
    const path = `/ddfs/${encodeURIComponent(object)}`;
    const near = isStoreHost(host) ? asked.slice(0, -`/ddfs/${object}`.length) : undefined;
    return this.#reach(host, "PUT", path, near, (url) =>
      putNodeBlob((...asked) => this.#nodes.ask(...asked), url, body, options),
    );
  }

  open(
    address: BlobAddress,
    options: { readonly from?: number; readonly signal?: AbortSignal },
  ): Promise<ReadBlob | null> {
    return this.#reach(address.host, "GET", pathOfBlob(address), undefined, (url) =>
      readNodeBlob((...asked) => this.#nodes.ask(...asked), url, options),
    );
  }

  stat(address: BlobAddress): Promise<StoredBlob | null> {
    return this.#reach(address.host, "HEAD", pathOfBlob(address), undefined, (url) =>
      statNodeBlob((...asked) => this.#nodes.ask(...asked), url),
    );
  }

  close(): void {
    this.#nodes.close();
  }

  /** A body that was not begun may go the other way. */
  async #reach<T>(
    host: string,
    method: string,
    path: string,
    near: string | undefined,
    ask: (url: string) => Promise<T>,
  ): Promise<T> {
    const master = this.#questions.url.replace(/\/+$/, "");
    const node = near ?? knownServers().nodeAt?.(authorityOf(master), host);
    if (node !== undefined) {
      try {
        return await ask(node.replace(/\/+$/, "") + path);
      } catch (error) {
        if (!(error instanceof DiscoError) || error.code !== unreachedCode) throw error;
      }
    }
    // What all share is with the master as well.
    if (isStoreHost(host)) return await ask(master + path);
    return await ask(`${master}/proxy/${encodeURIComponent(host)}/${method}${path}`);
  }
}
