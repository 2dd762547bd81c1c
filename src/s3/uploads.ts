/**
 * Objects that are sent in parts, for whatever is larger than one request should be. An upload that is not completed lies in the bucket,
 * seen by nobody and paid for, until it is aborted.
 */
import { DataError } from "../errors.ts";
import type { Bare } from "./address.ts";
import type { S3Connection } from "./connection.ts";
import { refusalOf, refusedError } from "./failure.ts";
import { metaHeaders } from "./objects.ts";
import { elementsOf, escaped, textOf } from "./xml.ts";

/** S3's own limit. */
export const partsMax = 10_000;

export interface Upload extends Bare {
  readonly id: string;
}

export interface UploadedPart {
  /** From 1. */
  readonly number: number;
  readonly etag: string;
}

export interface ListedUpload extends Upload {
  /** Milliseconds since 1970. */
  readonly begunAt: number;
}

export async function beginUpload(
  connection: S3Connection,
  at: Bare,
  meta: Readonly<Record<string, string>>,
): Promise<Upload> {
  const { text } = await connection.ask({ method: "POST", ...at, query: { uploads: "" }, headers: metaHeaders(meta) });
  const id = textOf(text, "UploadId");
  if (id !== null && id !== "") return { ...at, id };
  throw refused(at, "it begins no upload in parts");
}

export async function uploadPart(
  connection: S3Connection,
  { id, ...at }: Upload,
  number: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<UploadedPart> {
  const query = { partNumber: String(number), uploadId: id };
  const answer = await connection.send({ method: "PUT", ...at, query, body: bytes });
  answer.drop();
  const etag = answer.header("etag");
  if (etag !== null) return { number, etag };
  throw refused(at, "it does not name the part that it took");
}

/** As `uploadPart`, of bytes of another object, from `from` up to, not including, `to`. */
export async function copyPart(
  connection: S3Connection,
  { id, ...at }: Upload,
  number: number,
  source: Bare & { readonly etag: string | null; readonly from: number; readonly to: number },
): Promise<UploadedPart> {
  const { text } = await connection.ask({
    method: "PUT",
    ...at,
    query: { partNumber: String(number), uploadId: id },
    headers: {
      "x-amz-copy-source": `/${source.bucket}/${source.key.split("/").map(encodeURIComponent).join("/")}`,
      "x-amz-copy-source-range": `bytes=${source.from}-${source.to - 1}`,
      ...(source.etag === null ? {} : { "x-amz-copy-source-if-match": source.etag }),
    },
  });
  const etag = textOf(text, "ETag");
  if (etag !== null) return { number, etag };
  throw refused(at, "it does not name the part that it copied");
}

/**
 * The object is there, whole, when this returns. `there`: another one had its name first, as far as the server looks. `gone`: the upload
 * is not there, because it was completed by a request whose answer was lost, or was aborted.
 */
export async function completeUpload(
  connection: S3Connection,
  { id, ...at }: Upload,
  parts: readonly UploadedPart[],
): Promise<"done" | "there" | "gone"> {
  const listed = parts.map(
    ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`,
  );
  const body = Buffer.from(`<CompleteMultipartUpload>${listed.join("")}</CompleteMultipartUpload>`);
  const { answer, text } = await connection.ask({
    method: "POST",
    ...at,
    query: { uploadId: id },
    headers: { "if-none-match": "*", "content-type": "application/xml" },
    body,
    taken: [404, 412],
  });
  if (answer.status === 412) return "there";
  const refusal = refusalOf(answer.status, answer.header, text);
  if (refusal.code === "NoSuchUpload") return "gone";
  // A success that takes long begins before it is one: what went wrong stands in its body.
  if (refusal.code !== "") throw refusedError(refusal, `s3://${at.bucket}/${at.key}`, true);
  if (answer.status === 404) throw refused(at, "it answered 404");
  return "done";
}

export async function abortUpload(connection: S3Connection, { id, ...at }: Upload): Promise<void> {
  const answer = await connection.send({ method: "DELETE", ...at, query: { uploadId: id }, taken: [404] });
  answer.drop();
}

/** Uploads that were begun and neither completed nor aborted, of keys that begin with `prefix`. */
export async function* listUploads(
  connection: S3Connection,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
): AsyncGenerator<ListedUpload, void, undefined> {
  let next: Readonly<Record<string, string>> | null = {};
  while (next !== null) {
    const query: Readonly<Record<string, string>> = { uploads: "", "encoding-type": "url", prefix, ...next };
    const { text } = await connection.ask({ method: "GET", bucket, key: "", query });
    const isEncoded = textOf(text, "EncodingType") === "url";
    const keyOf = (name: string): string => (isEncoded ? decodeURIComponent(name.replaceAll("+", " ")) : name);
    for (const entry of elementsOf(text, "Upload")) {
      const begunAt = Date.parse(textOf(entry, "Initiated") ?? "");
      const id = textOf(entry, "UploadId");
      if (id === null || !Number.isFinite(begunAt)) continue;
      yield { bucket, key: keyOf(textOf(entry, "Key") ?? ""), id, begunAt };
    }
    const marker = textOf(text, "NextKeyMarker") ?? "";
    const isCut = textOf(text, "IsTruncated") === "true" && marker !== "";
    next = isCut ? { "key-marker": keyOf(marker), "upload-id-marker": textOf(text, "NextUploadIdMarker") ?? "" } : null;
  }
}

function refused({ bucket, key }: Bare, what: string): DataError {
  return new DataError(`s3://${bucket}/${key}: the server cannot be understood: ${what}`, { code: "s3-refused" });
}
