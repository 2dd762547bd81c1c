/** The blobs of a cluster in a store that all share: masters read them there themselves, clients put them by way of any node. */
import type { BlobTarget, NodeSpace, PutBlob } from "../../client/ddfs/ddfs-api.ts";
import type { BlobAddress } from "../../core/ddfs/names.ts";
import type { NodeBlobs, OpenedReplica } from "../../ddfs/node-blobs.ts";
import { OnlyNodeBlobs } from "../../ddfs/only-node-blobs.ts";
import { DiscoError } from "../../errors.ts";
import type { OwnBlobs } from "../../node/ddfs/own-blobs.ts";
import type { StoredBlob } from "../../protocol/ddfs/messages.ts";
import type { PeerBlobsParts } from "./peer-blobs.ts";

export interface StoreBlobsParts extends PeerBlobsParts {
  readonly store: OwnBlobs;
}

export class StoreBlobs implements NodeBlobs {
  readonly #parts: StoreBlobsParts;
  #turn = 0;

  constructor(parts: StoreBlobsParts) {
    this.#parts = parts;
  }

  async spaces(): Promise<NodeSpace[]> {
    return await (await this.#opened()).spaces();
  }

  /** @throws DiscoError `not-enough-nodes`: uploads go through nodes */
  urlFor(_host: string, object: string): string {
    const { coordinator, isSuspect, peers } = this.#parts;
    const nodes = [...coordinator.machine.cluster.nodes.values()];
    const open = nodes.filter(({ host, connected, url }) => connected && url !== null && !isSuspect(host));
    const node = open[this.#turn++ % Math.max(1, open.length)];
    if (node !== undefined) return `${peers.urlOf(node.host)}/ddfs/${object}`;
    throw new DiscoError("no node is connected that could take a blob", { code: "not-enough-nodes" });
  }

  async put(target: BlobTarget, body: AsyncIterable<Uint8Array>, options: PutBlob): Promise<StoredBlob> {
    return await (await this.#opened()).put(target, body, options);
  }

  async open(
    address: BlobAddress,
    options: { readonly from?: number; readonly signal?: AbortSignal },
  ): Promise<OpenedReplica | null> {
    return await (await this.#opened()).open(address, options);
  }

  async stat(address: BlobAddress): Promise<StoredBlob | null> {
    return await (await this.#opened()).stat(address);
  }

  async #opened(): Promise<OnlyNodeBlobs> {
    const { store } = this.#parts;
    const [host, blobs] = [store.sharedHost ?? "", await store.open()];
    return new OnlyNodeBlobs({ host, blobs, leaving: () => false, url: () => "" });
  }
}
