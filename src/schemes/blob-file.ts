/**
 * A blob of this node, read as a file: its SHA-256 is compared with the one that was stored with it, and the last chunk is given out
 * only when it is the same. What was read before that counts as little as the rest: whoever reads a blob to its end, and gets there,
 * has what was stored.
 */
import type { Hash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseSum, type Sum, sumName } from "../blobs/volumes/sum.ts";
import { DataError } from "../errors.ts";
import { fileError } from "./file.ts";
import { type ByteSource, lend, type SchemeContext } from "./scheme.ts";

const chunkBytes = 256 * 1024;
/** Clients load this file, and hardly one of them reads blobs. */
const newHash = (): Hash => process.getBuiltinModule("node:crypto").createHash("sha256");

/** Opens the blob under the name `url`. @throws DataError `no-such-file`, `blob-damaged`; while it is read `blob-damaged` */
export function openBlobFile(url: string, path: string, context: Pick<SchemeContext, "damaged">): ByteSource {
  const sum = sumOf(url, path, context);
  const read = (isLent: boolean): Generator<Uint8Array, void> => readChecked(url, path, sum, isLent, context);
  return {
    url,
    size: sum.size,
    [Symbol.iterator]: () => read(false),
    [lend]: () => read(true),
    async *[Symbol.asyncIterator]() {
      for (const chunk of read(false)) {
        yield chunk;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** `isLent`: two pieces of memory take turns, as the last chunk that was read is not given out yet. */
function* readChecked(
  url: string,
  path: string,
  { digest, size }: Sum,
  isLent: boolean,
  context: Pick<SchemeContext, "damaged">,
): Generator<Uint8Array, void> {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw fileError(url, error);
  }
  try {
    const hash = newHash();
    const room = Math.min(chunkBytes, size + 1);
    const memory = isLent ? [Buffer.allocUnsafeSlow(room), Buffer.allocUnsafeSlow(room)] : null;
    let held: Uint8Array | null = null;
    let at = 0;
    for (let turn = 0; ; turn++) {
      const chunk: Buffer = memory?.[turn % 2] ?? Buffer.allocUnsafeSlow(Math.min(chunkBytes, size - at + 1));
      let length: number;
      try {
        length = readSync(fd, chunk, 0, chunk.length, at);
      } catch (error) {
        throw fileError(url, error);
      }
      if (length === 0) break;
      at += length;
      if (at > size) throw damaged(url, context);
      const part = chunk.subarray(0, length);
      hash.update(part);
      if (held !== null) yield held;
      held = part;
    }
    if (at !== size || hash.digest("hex") !== digest) throw damaged(url, context);
    if (held !== null) yield held;
  } finally {
    closeSync(fd);
  }
}

/** A blob without its sum cannot be believed here; its node knows what to do about it. */
function sumOf(url: string, path: string, context: Pick<SchemeContext, "damaged">): Sum {
  try {
    statSync(path);
  } catch (error) {
    throw fileError(url, error);
  }
  let text = "";
  try {
    text = readFileSync(join(dirname(path), sumName(basename(path))), "utf8");
  } catch {
    // As one that says nothing.
  }
  const sum = parseSum(text);
  if (sum === null) throw damaged(url, context);
  return sum;
}

function damaged(url: string, context: Pick<SchemeContext, "damaged">): DataError {
  context.damaged?.(url);
  return new DataError(`${url} is damaged: its bytes are not those that were stored`, {
    code: "blob-damaged",
    url,
    hint: "Another replica is read instead where there is one; garbage collection replaces this one.",
  });
}
