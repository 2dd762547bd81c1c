import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";

/** Writes to a file beside it, and gives it its name when all is written. Returns the number of bytes. */
export async function saveChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const partial = `${path}.partial-${randomUUID().slice(0, 8)}`;
  try {
    const file = await open(partial, "wx");
    let size = 0;
    try {
      for await (const chunk of chunks) {
        for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
        size += chunk.length;
      }
    } finally {
      await file.close();
    }
    await rename(partial, path);
    return size;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
