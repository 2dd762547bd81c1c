/**
 * Names of DDFS, as Disco has them (`ddfs_util.erl`).
 *
 * ```
 *   name        [A-Za-z0-9_\-@:]{1,511}                      of a tag, or what a user calls a blob
 *   object      NAME$MEGASECONDS-SECONDS-MICROSECONDS (hex)  one blob, one version of a tag: given by the master, once
 *   address     disco://HOST/ddfs/vol0/blob/HH/OBJECT        a replica; HH is the first byte of md5(OBJECT)
 *               s3://BUCKET/PREFIX/blob/HH/OBJECT            the same in a store that all nodes share
 * ```
 */
import { DiscoError } from "../../errors.ts";

/** Characters of a name at most. */
export const nameLengthMax = 511;
/** A blob's name above this is replaced by its md5 (the object's name is a file's). */
export const blobNameLengthMax = 200;

/** The tag, and the name of the blobs, that have snapshots of all tags. It is left out of lists unless it is asked for. */
export const snapshotName = "disco:tags";

const namePattern = /^[A-Za-z0-9_\-@:]{1,511}$/;
const objectPattern = /^([A-Za-z0-9_\-@:]{1,511})\$([0-9a-f]{1,8})-([0-9a-f]{1,5})-([0-9a-f]{1,5})$/;
const microsPerSecond = 1_000_000;
const secondsPerMega = 1_000_000;

export function isName(text: string): boolean {
  return namePattern.test(text);
}

/** @throws DiscoError `bad-name` */
export function assertName(name: string): void {
  if (isName(name)) return;
  throw new DiscoError(`${JSON.stringify(String(name).slice(0, 100))} is not a name of DDFS`, {
    code: "bad-name",
    hint: "Names have 1 to 511 letters, digits, and _ - @ :",
  });
}

export function isObject(text: string): boolean {
  return objectPattern.test(text);
}

/** `NAME$ts` of a name and microseconds since 1970. */
export function objectOf(name: string, micros: number): string {
  const seconds = Math.floor(micros / microsPerSecond);
  const parts = [Math.floor(seconds / secondsPerMega), seconds % secondsPerMega, micros % microsPerSecond];
  return `${name}$${parts.map((part) => part.toString(16).padStart(part === 0 ? 2 : 1, "0")).join("-")}`;
}

/** The inverse of `objectOf`; `null`: it is none. */
export function partsOfObject(object: string): { readonly name: string; readonly micros: number } | null {
  const [, name = "", mega = "", seconds = "", micros = ""] = objectPattern.exec(object) ?? [];
  if (name === "") return null;
  const whole = Number.parseInt(mega, 16) * secondsPerMega + Number.parseInt(seconds, 16);
  return { name, micros: whole * microsPerSecond + Number.parseInt(micros, 16) };
}

/** A replica, taken apart. */
export interface BlobAddress {
  /** Name of the node, or address of the store (`isStoreHost`). */
  readonly host: string;
  /** `vol0`, `vol1` … of that node. */
  readonly volume: string;
  /** `NAME$ts`. */
  readonly object: string;
}

const addressPattern =
  /^disco:\/\/([^/:\s]+)(?::\d{1,5})?\/ddfs\/(vol\d{1,4})\/blob\/[0-9a-f]{2}\/([A-Za-z0-9_\-@:]{1,511}\$[0-9a-f]+-[0-9a-f]+-[0-9a-f]+)$/;

const storedPattern =
  /^(s3:\/\/[^\s#?]+)\/blob\/[0-9a-f]{2}\/([A-Za-z0-9_\-@:]{1,511}\$[0-9a-f]+-[0-9a-f]+-[0-9a-f]+)$/;
/** The only volume of a store that all nodes share. */
export const storeVolume = "vol0";

/** `null`: the address is not that of a replica in DDFS. */
export function parseBlobAddress(url: string): BlobAddress | null {
  const [, host = "", volume = "", object = ""] = addressPattern.exec(url) ?? [];
  if (host !== "") return { host, volume, object };
  const [, store = "", stored = ""] = url.startsWith("s3:") ? (storedPattern.exec(url) ?? []) : [];
  return store === "" ? null : { host: store, volume: storeVolume, object: stored };
}

/** A store that all nodes share (`s3://BUCKET/PREFIX`) stands for a node, whose name is its address: no node has such a name. */
export function isStoreHost(host: string): boolean {
  return host.startsWith("s3://");
}

/** What a URL of DDFS, or of anywhere, calls the blob: its last part, without the time (Disco's `DDFS.blob_name`). */
export function blobNameOf(url: string): string {
  const from = url.lastIndexOf("/") + 1;
  const end = url.indexOf("$", from);
  return end < 0 ? url.slice(from) : url.slice(from, end);
}

/** The name of the tag that `tag://NAME` (or `tag://HOST/NAME`) names; `null`: it is no such address. */
export function tagOf(url: string): string | null {
  const name = /^tag:\/\/(?:[^/]*\/)?([^/]+)$/.exec(url)?.[1];
  return name !== undefined && isName(name) ? name : null;
}
