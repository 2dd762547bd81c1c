/**
 * Where a volume keeps what.
 *
 * ```
 *   volume                     which volume of whom this is (`node/ddfs/volume-places.ts`)
 *   blob/HH/OBJECT             the bytes, as they came
 *   blob/HH/.OBJECT.sum        their SHA-256 and number: `HEX SIZE LF`
 *   blob/HH/!partial-ID        on its way; swept when nobody writes it any more
 *   blob/HH/OBJECT.damaged-ID  set aside: its bytes are not what came
 * ```
 * HH is the first byte of md5(OBJECT). The sum has its name before the blob has: a blob whose sum is not there or cannot be read is
 * damaged, as nobody can say any more whether its bytes are those that came.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { isObject } from "../../core/ddfs/names.ts";
import { sumName } from "./sum.ts";

export { formatSum, parseSum, type Sum } from "./sum.ts";

const partialPrefix = "!partial-";
const damagedMark = ".damaged-";
const sumPattern = /^\.(.+)\.sum$/;

/** Whether a name is that of a directory of blobs. */
export function isHash(name: string): boolean {
  return /^[0-9a-f]{2}$/.test(name);
}

export function hashOf(object: string): string {
  return createHash("md5").update(object).digest("hex").slice(0, 2);
}

export function blobDirectory(volume: string): string {
  return join(volume, "blob");
}

export function directoryOf(volume: string, hash: string): string {
  return join(volume, "blob", hash);
}

export function blobFile(volume: string, object: string): string {
  return join(directoryOf(volume, hashOf(object)), object);
}

export function sumFile(volume: string, object: string): string {
  return join(directoryOf(volume, hashOf(object)), sumName(object));
}

export function partialFile(directory: string, id: string): string {
  return join(directory, `${partialPrefix}${id}`);
}

export function damagedFile(file: string, id: string): string {
  return `${file}${damagedMark}${id}`;
}

export function markerFile(volume: string): string {
  return join(volume, "volume");
}

/** Whether a file name is one that only who writes it needs. */
export function isPartial(name: string): boolean {
  return name.startsWith(partialPrefix);
}

export function isDamaged(name: string): boolean {
  return name.includes(damagedMark);
}

/** The object whose sum a file of that name has; `null`: it is another file. */
export function objectOfSum(name: string): string | null {
  const object = sumPattern.exec(name)?.[1];
  return object !== undefined && isObject(object) ? object : null;
}

/** The object of a file name in a volume; `null`: the file is another. */
export function objectNamed(name: string): string | null {
  return isObject(name) ? name : null;
}
