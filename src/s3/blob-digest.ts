/**
 * How blobs of DDFS lie in a bucket, for whoever reads one there without the store:
 *
 * ```
 *   PREFIX/blob/HH/OBJECT     the bytes; HH is the first byte of md5(OBJECT) in hex
 *      x-amz-meta-sha256      their SHA-256 in hex, or `aside`: they were sent before it was known
 *   PREFIX/sum/HH/OBJECT      `HEX SIZE LF`, of those
 * ```
 */
import { parseSum, type Sum } from "../blobs/volumes/sum.ts";
import { DataError } from "../errors.ts";
import type { Bare } from "./address.ts";
import type { S3Connection } from "./connection.ts";
import type { ObjectHead } from "./objects.ts";

/** Name of the metadata with the digest, and what it says when that is elsewhere. */
export const digestMeta = "sha256";
export const digestAside = "aside";

const keyPattern = /^((?:.*\/)?)blob\/([0-9a-f]{2}\/[A-Za-z0-9_\-@:]{1,511}\$[0-9a-f]+-[0-9a-f]+-[0-9a-f]+)$/s;

/** The sum that lies at `at`; `null`: none that could be believed. */
export async function readSum(connection: S3Connection, at: Bare): Promise<Sum | null> {
  const { answer, text } = await connection.ask({ method: "GET", ...at, taken: [404] });
  return answer.status === 404 ? null : parseSum(text);
}

/** SHA-256 in hex of an object that is a blob; `null`: it is none, or nobody knows. @throws DataError `blob-damaged` */
export async function digestOfBlob(connection: S3Connection, at: Bare, head: ObjectHead): Promise<string | null> {
  const told = head.meta(digestMeta);
  const [, prefix, rest] = told === null ? [] : (keyPattern.exec(at.key) ?? []);
  if (told === null || rest === undefined) return null;
  if (told !== digestAside) return told;
  const sum = await readSum(connection, { bucket: at.bucket, key: `${prefix}sum/${rest}` });
  if (sum === null || sum.size === head.size) return sum?.digest ?? null;
  throw new DataError(`s3://${at.bucket}/${at.key} is damaged: it has ${head.size} bytes, ${sum.size} were stored`, {
    code: "blob-damaged",
  });
}
