/** The blobs of the nodes of a cluster: bytes go over HTTP, what nodes say of their room comes with their heartbeats. */

import { type AskNode, putNodeBlob, readNodeBlob, statNodeBlob } from "../../blobs/http/node-blob.ts";
import type { BlobTarget, NodeSpace, PutBlob } from "../../client/ddfs/ddfs-api.ts";
import type { BlobAddress } from "../../core/ddfs/names.ts";
import type { NodeBlobs, OpenedReplica } from "../../ddfs/node-blobs.ts";
import type { Peers } from "../../node/fetch/peers.ts";
import type { StoredBlob, VolumeInfo } from "../../protocol/ddfs/messages.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import type { Heartbeat } from "../../protocol/messages.ts";
import type { Coordinator } from "../coordinator.ts";

export interface PeerBlobsParts {
  readonly coordinator: Pick<Coordinator, "machine">;
  readonly peers: Peers;
  /** What the node said of itself last; `null`: nothing yet. */
  readonly heartbeat: (host: string) => Heartbeat | null;
  /** It has been silent for a while. */
  readonly isSuspect: (host: string) => boolean;
}

/** A node answers an upload when the blob is on its disk, which may be slow. */
const putIdleMs = 120_000;

export class PeerBlobs implements NodeBlobs {
  readonly #parts: PeerBlobsParts;
  readonly #ask: AskNode;

  constructor(parts: PeerBlobsParts) {
    this.#parts = parts;
    this.#ask = (url, { signal = new AbortController().signal, ...request }) =>
      parts.peers.ask(url, { ...request, signal, ...(request.method === "PUT" ? { idleMs: putIdleMs } : {}) });
  }

  async spaces(): Promise<NodeSpace[]> {
    const { coordinator, heartbeat, isSuspect } = this.#parts;
    const { cluster, gcBlacklist } = coordinator.machine;
    return [...cluster.nodes.values()].map(({ host, connected, url }) => ({
      host,
      connected: connected && url !== null && !isSuspect(host),
      leaving: gcBlacklist.has(host),
      volumes: volumesOf(heartbeat(host)),
    }));
  }

  urlFor(host: string, object: string): string {
    return `${this.#parts.peers.urlOf(host)}/ddfs/${object}`;
  }

  // A node whose address is not known fails as others do: those who ask several go on with the next.
  async put({ host, object }: BlobTarget, body: AsyncIterable<Uint8Array>, options: PutBlob): Promise<StoredBlob> {
    return await putNodeBlob(this.#ask, this.urlFor(host, object), body, options);
  }

  async open(
    address: BlobAddress,
    options: { readonly from?: number; readonly signal?: AbortSignal },
  ): Promise<OpenedReplica | null> {
    return await readNodeBlob(this.#ask, this.#urlOf(address), options);
  }

  async stat(address: BlobAddress): Promise<StoredBlob | null> {
    return await statNodeBlob(this.#ask, this.#urlOf(address));
  }

  #urlOf({ host, volume, object }: BlobAddress): string {
    const address = replicaAddress(host, volume, object);
    return this.#parts.peers.urlOf(host) + address.slice(address.indexOf("/ddfs/"));
  }
}

/** A node of an older version says only how much room its disk has. */
function volumesOf(heartbeat: Heartbeat | null): readonly VolumeInfo[] {
  if (heartbeat === null) return [];
  const { volumes, diskFreeBytes, diskUsedBytes, diskReserveBytes = 0 } = heartbeat;
  if (volumes !== undefined) return volumes;
  const isFull = diskFreeBytes < diskReserveBytes;
  const room = { freeBytes: Math.max(0, diskFreeBytes - diskReserveBytes), usedBytes: diskUsedBytes };
  return [{ volume: "vol0", ...room, trouble: isFull ? "full" : null }];
}
