/** A blob whose bytes are not what came goes out of the way, and is kept: it may be all that is left. */
import { digestAside, digestMeta } from "../../s3/blob-digest.ts";
import type { S3Connection } from "../../s3/connection.ts";
import { deleteObject, type ObjectHead, putObject } from "../../s3/objects.ts";
import { abortUpload, beginUpload, completeUpload, copyPart, type UploadedPart } from "../../s3/uploads.ts";
import type { Layout } from "./s3-layout.ts";

/** S3 copies at most 5 GiB a part. */
const copyBytesMax = 2 ** 30;

/** Twice the same is the same: a copy that is there already is completed again. */
export async function setAside(
  connection: S3Connection,
  layout: Layout,
  object: string,
  { size, etag, meta }: ObjectHead,
): Promise<void> {
  const [source, target] = [layout.blob(object), layout.damaged(object)];
  if (size === 0) {
    await putObject(connection, target, Buffer.alloc(0));
  } else {
    const upload = await beginUpload(connection, target, { [digestMeta]: meta(digestMeta) ?? digestAside });
    try {
      const parts: UploadedPart[] = [];
      for (let from = 0; from < size; from += copyBytesMax) {
        const to = Math.min(from + copyBytesMax, size);
        parts.push(await copyPart(connection, upload, parts.length + 1, { ...source, etag, from, to }));
      }
      await completeUpload(connection, upload, parts);
    } catch (error) {
      await abortUpload(connection, upload).catch(() => undefined);
      throw error;
    }
  }
  await deleteObject(connection, source);
  await deleteObject(connection, layout.sum(object));
}
