/** What is in a bucket, page by page. */
import { DataError } from "../errors.ts";
import type { S3Connection } from "./connection.ts";
import { elementsOf, textOf } from "./xml.ts";

export interface ListedObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string | null;
  /** Milliseconds since 1970, whole seconds: as it is told of the object alone. */
  readonly modifiedAt: number;
}

export interface ListPage {
  readonly objects: readonly ListedObject[];
  /** For the next page; `null`: this is the last. */
  readonly next: string | null;
}

export interface ListOptions {
  readonly bucket: string;
  readonly prefix: string;
  /** Keys behind this one, in the order of their bytes. */
  readonly startAfter?: string | undefined;
  /** `next` of the page before. */
  readonly token?: string | undefined;
  /** Keys a page; 1000 at most. */
  readonly limit?: number;
}

export const pageKeysMax = 1_000;
const msPerSecond = 1_000;

export async function listPage(connection: S3Connection, options: ListOptions): Promise<ListPage> {
  const { bucket, prefix, startAfter, token, limit = pageKeysMax } = options;
  const { text: xml } = await connection.ask({
    method: "GET",
    bucket,
    key: "",
    query: {
      "list-type": "2",
      "encoding-type": "url",
      "max-keys": String(Math.min(limit, pageKeysMax)),
      prefix,
      ...(startAfter === undefined ? {} : { "start-after": startAfter }),
      ...(token === undefined ? {} : { "continuation-token": token }),
    },
  });
  const isEncoded = textOf(xml, "EncodingType") === "url";
  const objects: ListedObject[] = [];
  for (const entry of elementsOf(xml, "Contents")) {
    const name = textOf(entry, "Key") ?? "";
    const modified = Date.parse(textOf(entry, "LastModified") ?? "") || 0;
    objects.push({
      key: isEncoded ? decodeURIComponent(name.replaceAll("+", " ")) : name,
      size: Number(textOf(entry, "Size") ?? 0),
      etag: textOf(entry, "ETag"),
      modifiedAt: Math.floor(modified / msPerSecond) * msPerSecond,
    });
  }
  const isCut = textOf(xml, "IsTruncated");
  const next = textOf(xml, "NextContinuationToken");
  // Half a list must never be taken for the whole.
  if (!xml.trimEnd().endsWith("</ListBucketResult>") || isCut === null || (isCut === "true" && next === null)) {
    throw new DataError(`s3://${bucket}/${prefix}: the server's list cannot be understood`, {
      code: "s3-refused",
      hint: "Check AWS_ENDPOINT_URL: it has to be that of an S3 server.",
    });
  }
  return { objects, next: isCut === "true" ? next : null };
}

/** All of them, a page at a time. */
export async function* listAll(
  connection: S3Connection,
  options: Pick<ListOptions, "bucket" | "prefix">,
): AsyncGenerator<ListedObject, void, undefined> {
  let token: string | undefined;
  do {
    const page: ListPage = await listPage(connection, { ...options, token });
    yield* page.objects;
    token = page.next ?? undefined;
  } while (token !== undefined);
}
