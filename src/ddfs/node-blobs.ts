/** The blobs of the nodes, as the master reaches them: in its own process, or over HTTP. */
import type { Readable } from "node:stream";
import type { BlobTarget, NodeSpace, PutBlob } from "../client/ddfs/ddfs-api.ts";
import type { BlobAddress } from "../core/ddfs/names.ts";
import type { StoredBlob } from "../protocol/ddfs/messages.ts";

export interface NodeBlobs {
  /** All nodes, with what they last said of their volumes. */
  spaces(): NodeSpace[];
  /** Where a client puts an object that is to lie on that node. */
  urlFor(host: string, object: string): string;
  /** @throws DiscoError, CommError as `Blobs.put`, and where the node cannot be reached */
  put(target: BlobTarget, body: AsyncIterable<Uint8Array>, options: PutBlob): Promise<StoredBlob>;
  /** `null`: it is not there. @throws CommError where the node cannot be reached */
  open(
    address: BlobAddress,
    options: { readonly from?: number; readonly signal?: AbortSignal },
  ): Promise<{ readonly size: number; readonly digest: string | null; readonly body: Readable } | null>;
  stat(address: BlobAddress): Promise<StoredBlob | null>;
}
