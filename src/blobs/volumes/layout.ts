/**
 * Where a volume keeps what.
 *
 * ```
 *   blob/HH/OBJECT             the bytes, as they came
 *   blob/HH/.OBJECT.sum        their SHA-256 and number: `HEX SIZE LF`
 *   blob/HH/!partial-ID        on its way; swept when nobody writes it any more
 *   blob/HH/OBJECT.damaged-ID  set aside: its bytes are not what came
 * ```
 * The sum is on the disk before the blob's name is: a blob without one lost it later, and is summed up anew (its bytes were synced
 * before it had its name).
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { isObject } from "../../core/ddfs/names.ts";

const partialPrefix = "!partial-";

/** Directories of a volume: the first byte of md5(OBJECT), in hex. */
export const hashes: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

export function hashOf(object: string): string {
  return createHash("md5").update(object).digest("hex").slice(0, 2);
}

export function directoryOf(volume: string, hash: string): string {
  return join(volume, "blob", hash);
}

export function blobFile(volume: string, object: string): string {
  return join(directoryOf(volume, hashOf(object)), object);
}

export function sumFile(volume: string, object: string): string {
  return join(directoryOf(volume, hashOf(object)), `.${object}.sum`);
}

export function partialFile(directory: string, id: string): string {
  return join(directory, `${partialPrefix}${id}`);
}

/** Whether a file name is one that only who writes it needs. */
export function isPartial(name: string): boolean {
  return name.startsWith(partialPrefix);
}

/** The object of a file name in a volume; `null`: the file is another. */
export function objectNamed(name: string): string | null {
  return isObject(name) ? name : null;
}

export interface Sum {
  /** SHA-256 in hex. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export function formatSum({ digest, size }: Sum): string {
  return `${digest} ${size}\n`;
}

/** `null`: it says nothing that could be believed. */
export function parseSum(text: string): Sum | null {
  const [, digest, size] = /^([0-9a-f]{64}) (\d{1,16})\n$/.exec(text) ?? [];
  return digest === undefined || size === undefined ? null : { digest, size: Number(size) };
}
