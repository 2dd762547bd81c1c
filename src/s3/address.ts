/**
 * Addresses of objects: `s3://BUCKET/KEY`, with the key as it stands, nothing in it encoded. What is known of an object when a job is
 * submitted goes behind it, so that every task reads the same version of it:
 *
 * ```
 *   s3://logs/2026/11/23.txt#etag="9a0364b9e99bb480dd25e1f0284c8555"&bytes=0-67108864
 * ```
 */
import { DataError } from "../errors.ts";

export interface S3Address {
  readonly bucket: string;
  readonly key: string;
  /** With its quotes, as S3 has it; `null`: whichever version there is. */
  readonly etag: string | null;
  /** The lines that begin there, as in the parts of local files. `null`: all of it. */
  readonly part: { readonly from: number; readonly to: number } | null;
}

/** S3's own rules, and those of older buckets and other servers: no slash, nothing that could lead out of a path or a host name. */
const bucketPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;
/** Bytes of a key at most. */
export const keyBytesMax = 1024;
const knownPattern = /#(?:etag=("[^"]*"))?&?(?:bytes=(\d{1,15})-(\d{1,15}))?$/;

/** @throws DataError `bad-url` */
export function parseS3Url(url: string): S3Address {
  const [, bucket = "", rest = ""] = /^s3:\/\/([^/]*)(?:\/(.*))?$/is.exec(url) ?? [];
  const known = knownPattern.exec(rest);
  const [text = "", etag, from, to] = known ?? [];
  const isKnown = etag !== undefined || from !== undefined;
  const key = isKnown ? rest.slice(0, rest.length - text.length) : rest;
  if (!bucketPattern.test(bucket) || bucket.includes("..")) throw bad(url, `${JSON.stringify(bucket)} is no bucket`);
  if (key === "") throw bad(url, "it names no object");
  assertKey(url, key);
  return {
    bucket,
    key,
    etag: etag ?? null,
    part: from === undefined ? null : { from: Number(from), to: Number(to) },
  };
}

/** The inverse of `parseS3Url`. */
export function s3Url({ bucket, key, etag = null, part = null }: Partial<S3Address> & Bare): string {
  const known = [
    ...(etag === null ? [] : [`etag=${etag}`]),
    ...(part === null ? [] : [`bytes=${part.from}-${part.to}`]),
  ];
  return `s3://${bucket}/${key}${known.length === 0 ? "" : `#${known.join("&")}`}`;
}

export type Bare = Pick<S3Address, "bucket" | "key">;

/** A bucket and what keys in it begin with, which is empty or ends with a slash: `s3://bucket`, `s3://bucket/prefix/`. */
export interface S3Place {
  readonly bucket: string;
  readonly prefix: string;
}

/** @throws DataError `bad-url` */
export function parseS3Place(url: string): S3Place {
  const [, bucket = "", rest = ""] = /^s3:\/\/([^/]*)(?:\/(.*))?$/is.exec(url) ?? [];
  if (!bucketPattern.test(bucket) || bucket.includes("..")) throw bad(url, `${JSON.stringify(bucket)} is no bucket`);
  const prefix = rest === "" || rest.endsWith("/") ? rest : `${rest}/`;
  if (prefix !== "") assertKey(url, prefix.slice(0, -1));
  return { bucket, prefix };
}

/** Servers and clients drop such parts of a path, each in its own way: another object would be read than was named. */
function assertKey(url: string, key: string): void {
  if (key.split("/").some((segment) => segment === "." || segment === ".."))
    throw bad(url, 'keys with the parts "." and ".." cannot be addressed');
  if (key.includes("\0")) throw bad(url, "there is a NUL in it");
  if (Buffer.byteLength(key) > keyBytesMax) throw bad(url, `its key is longer than ${keyBytesMax} bytes`);
  if (!key.isWellFormed()) throw bad(url, "it is no Unicode text");
}

function bad(url: string, why: string): DataError {
  return new DataError(`${url.slice(0, 300)} is not the address of an object in S3: ${why}`, {
    code: "bad-url",
    retry: "never",
    url,
    hint: "Write s3://BUCKET/KEY.",
  });
}
