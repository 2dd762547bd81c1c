/**
 * What uploads have left that never ended: their parts, which nobody sees and everybody pays for, and sums of blobs that never came. A day
 * is longer than any upload takes.
 */
import type { S3Connection } from "../../s3/connection.ts";
import { listAll } from "../../s3/listing.ts";
import { deleteObject, headObject } from "../../s3/objects.ts";
import { abortUpload, listUploads } from "../../s3/uploads.ts";
import type { Layout } from "./s3-layout.ts";

export const abandonedMs = 24 * 3_600_000;

/** Returns how many uploads and sums it removed. */
export async function sweep(connection: S3Connection, layout: Layout, now: number): Promise<number> {
  const { bucket } = layout;
  let swept = 0;
  for await (const upload of listUploads(connection, { bucket, prefix: layout.blobs() })) {
    if (upload.begunAt > now - abandonedMs) continue;
    await abortUpload(connection, upload);
    swept++;
  }
  for await (const { key, modifiedAt } of listAll(connection, { bucket, prefix: layout.sums() })) {
    const object = modifiedAt > now - abandonedMs ? null : layout.objectOf(key);
    if (object === null || (await headObject(connection, layout.blob(object))) !== null) continue;
    await deleteObject(connection, { bucket, key });
    swept++;
  }
  return swept;
}
