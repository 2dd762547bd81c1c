/**
 * SHA-256 of a file, for `Repr-Digest` (RFC 9530), which a client asks for where the bytes themselves may have no checksums. Blocks
 * of records have one each, and their files need no other.
 *
 * The task that wrote results in a user's format has left their digests beside them (`protocol/checksums.ts`): then damage on
 * the disk is found as well as damage on the way. Any other file is read for its digest as it is now, up to a size: that
 * covers the way alone.
 */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { checksumIn, checksumsFileOf } from "../../protocol/checksums.ts";
import { openContained } from "./contained-file.ts";

const readBytesMax = 16 * 1024 * 1024;
const checksumsBytesMax = 64 * 1024 * 1024;
const chunkBytes = 256 * 1024;
const cachedMax = 4096;
/** Of results in our own blocks. */
const blocksSuffix = ".disco";

export class DigestCache {
  /** By entity tag: the oldest first. */
  readonly #known = new Map<string, string | null>();

  /** Base64; `null` when there is none to be had. */
  async of(
    file: { readonly handle: FileHandle; readonly etag: string; readonly size: number },
    dataDir: string,
    segments: readonly string[],
  ): Promise<string | null> {
    if (segments.at(-1)?.endsWith(blocksSuffix) === true) return null;
    const key = `${file.etag} ${segments.join("/")}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const written = await writtenDigest(dataDir, segments);
    const digest = written ?? (file.size > readBytesMax ? null : await readDigest(file.handle, file.size));
    if (this.#known.size >= cachedMax) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.set(key, digest);
    return digest;
  }
}

/** The digest that the task noted when it wrote the file. */
async function writtenDigest(dataDir: string, segments: readonly string[]): Promise<string | null> {
  const [node = "", hash = "", job = "", ...below] = segments;
  const beside = checksumsFileOf(below.join("/"));
  if (beside === null) return null;
  const opened = await openContained(dataDir, [node, hash, job, ...beside.split("/")]);
  if (opened.kind !== "file") return null;
  try {
    if (opened.size > checksumsBytesMax) return null;
    return checksumIn(await opened.handle.readFile("utf8"), below.join("/"));
  } finally {
    await opened.handle.close();
  }
}

async function readDigest(handle: FileHandle, size: number): Promise<string> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(chunkBytes, size)));
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest("base64");
}
