/** The blobs of the nodes, as the master reaches them: in its own process (`only-node-blobs.ts`), or over HTTP. */
import type { Readable } from "node:stream";
import type { BlobTarget, NodeSpace, PutBlob } from "../client/ddfs/ddfs-api.ts";
import type { BlobAddress } from "../core/ddfs/names.ts";
import type { StoredBlob } from "../protocol/ddfs/messages.ts";

export interface OpenedReplica {
  /** Bytes of the whole blob. */
  readonly size: number;
  /** SHA-256 in hex; `null`: the node does not tell. */
  readonly digest: string | null;
  /** From the byte that was asked for. Read whole, it is checked. */
  readonly body: Readable;
}

export interface NodeBlobs {
  /** All nodes, with what they last said of their volumes. */
  spaces(): Promise<NodeSpace[]>;
  /** Where a client puts an object that is to lie on that node. `master`: base URL by which the client reaches the master, where known. */
  urlFor(host: string, object: string, master?: string): string;
  /** @throws DiscoError, CommError as `Blobs.put`, and where the node cannot be reached */
  put(target: BlobTarget, body: AsyncIterable<Uint8Array>, options: PutBlob): Promise<StoredBlob>;
  /** `null`: it is not there. @throws CommError where the node cannot be reached */
  open(
    address: BlobAddress,
    options: { readonly from?: number; readonly signal?: AbortSignal },
  ): Promise<OpenedReplica | null>;
  stat(address: BlobAddress): Promise<StoredBlob | null>;
}
