/** What workers say of this node's blobs, which they read as files: the node looks for itself, and then sets the file aside. */
import { parseBlobAddress } from "../../core/ddfs/names.ts";
import type { OwnBlobs } from "./own-blobs.ts";

/** Users' code runs in workers and may say what it likes: what is sound stays. */
export async function lookAtTold(blobs: OwnBlobs | undefined, url: string): Promise<void> {
  const address = parseBlobAddress(url);
  if (blobs === undefined || address === null) return;
  await (await blobs.open()).verify(address.object, address.volume);
}
