/**
 * One input from S3. All of it is of one version: the one that was there when the job was submitted, where the address says so, else the
 * one that the first answer comes from.
 *
 * A blob of DDFS that is read as a whole is compared with its SHA-256 besides; its last bytes are passed on when it is right.
 */
import { createHash } from "node:crypto";
import { DataError } from "../../errors.ts";
import { accountOf } from "../../s3/account.ts";
import { parseS3Url, type S3Address } from "../../s3/address.ts";
import { digestOfBlob } from "../../s3/blob-digest.ts";
import { S3Connection } from "../../s3/connection.ts";
import { type OpenedObject, openObject, type ReadOptions } from "../../s3/objects.ts";
import { LinePart } from "../line-part.ts";
import type { ChunkWriter } from "./chunk-writer.ts";
import { Inflater } from "./inflate.ts";
import { contentEncodings } from "./messages.ts";

/** Read beyond the end of a part, for its last line; each further time four times as much. */
const firstBeyondBytes = 64 * 1024;
const beyondBytesMax = 16 * 1024 * 1024;

let shared: S3Connection | null = null;

export async function readS3(url: string, out: ChunkWriter, signal: AbortSignal): Promise<void> {
  const address = parseS3Url(url);
  shared ??= new S3Connection({ account: accountOf(process.env) });
  if (address.part === null) await readWhole(shared, address, out, signal);
  else await readLines(shared, address, new LinePart(address.part.from, address.part.to), out, signal);
}

async function readWhole(
  connection: S3Connection,
  address: S3Address,
  out: ChunkWriter,
  signal: AbortSignal,
): Promise<void> {
  const { head, chunks } = await opened(connection, address, { etag: address.etag, signal });
  // Some servers keep what was said of the upload alone.
  const codings = (head.encoding ?? "").toLowerCase().split(",");
  const coding = codings
    .map((one) => one.trim())
    .filter((one) => !["", "identity", "aws-chunked"].includes(one))
    .join();
  const format = coding === "" ? null : contentEncodings[coding];
  if (format === undefined) {
    throw new DataError(`${nameOf(address)}: content-encoding ${coding} is unknown`, { code: "bad-encoding" });
  }
  const target = format === null ? out : new Inflater(format, nameOf(address), out);
  const digest = await digestOfBlob(connection, address, head);
  const hash = digest === null ? null : createHash("sha256");
  let held: Uint8Array | null = null;
  for await (const chunk of chunks) {
    if (out.closed) return;
    hash?.update(chunk);
    if (held !== null) await target.write(held);
    held = chunk;
  }
  if (hash !== null && hash.digest("hex") !== digest) {
    throw new DataError(`${nameOf(address)} is damaged: its bytes are not those that were stored`, {
      code: "blob-damaged",
    });
  }
  if (held !== null) await target.write(held);
  if (target instanceof Inflater) await target.end();
}

async function readLines(
  connection: S3Connection,
  address: S3Address,
  part: LinePart,
  out: ChunkWriter,
  signal: AbortSignal,
): Promise<void> {
  let from = part.start;
  let to = (address.part?.to ?? 0) + firstBeyondBytes;
  let { etag } = address;
  for (let beyond = firstBeyondBytes; !part.isDone; beyond = Math.min(beyond * 4, beyondBytesMax)) {
    const { head, chunks } = await opened(connection, address, { etag, from, to, signal });
    etag = head.etag;
    for await (const chunk of chunks) {
      await out.write(part.take(chunk));
      if (part.isDone || out.closed) return;
    }
    if (to >= head.size) return;
    from = to;
    to += beyond;
  }
}

async function opened(connection: S3Connection, address: S3Address, options: ReadOptions): Promise<OpenedObject> {
  const object = await openObject(connection, address, options);
  if (object !== null) return object;
  throw new DataError(`${nameOf(address)}: there is no such object`, {
    code: "no-such-file",
    hint: "Check the key: it is case-sensitive. Listings may show for a while what was deleted.",
  });
}

function nameOf({ bucket, key }: S3Address): string {
  return `s3://${bucket}/${key}`;
}
