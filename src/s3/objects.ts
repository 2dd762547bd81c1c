/** Objects of S3, read and written whole or in parts. */
import { DataError } from "../errors.ts";
import type { Bare } from "./address.ts";
import { type S3Answer, type S3Connection, Unanswered } from "./connection.ts";
import { refusalOf, refusedError } from "./failure.ts";

export interface ObjectHead {
  /** Bytes. */
  readonly size: number;
  /** With its quotes; `null`: the server gives none. */
  readonly etag: string | null;
  /** Milliseconds since 1970, whole seconds. */
  readonly modifiedAt: number;
  /** `gzip` …, where the object says that it is compressed. */
  readonly encoding: string | null;
  /** Of the user's own metadata (`x-amz-meta-NAME`). */
  meta(name: string): string | null;
}

export interface ReadOptions {
  /** Of no other version. */
  readonly etag?: string | null;
  readonly from?: number;
  /** The byte behind the last; `null`: to the end. */
  readonly to?: number | null;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenedObject {
  readonly head: ObjectHead;
  /** From `from` to `to`, or to the end of the object: all of them, or it throws. */
  readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;
}

export interface PutOptions {
  /** Refused where there is one already. */
  readonly isNew?: boolean;
  readonly meta?: Readonly<Record<string, string>>;
  /** SHA-256 of the bytes in hex. */
  readonly digest?: string;
}

/** `null`: there is none. */
export async function headObject(connection: S3Connection, at: Bare): Promise<ObjectHead | null> {
  const answer = await connection.send({ method: "HEAD", ...at, taken: [400, 401, 403, 404, 301, 307] });
  if (answer.status < 300) return headOf(answer, at);
  // The answer to HEAD has no body, and so no reason; that to GET has.
  const opened = await openObject(connection, at, { from: 0, to: 1 });
  await opened?.chunks.return();
  return opened?.head ?? null;
}

/** `null`: there is none. @throws DataError `input-changed` when it is another version than that of `etag` */
export async function openObject(
  connection: S3Connection,
  at: Bare,
  options: ReadOptions = {},
): Promise<OpenedObject | null> {
  const answer = await get(connection, at, options);
  if (answer === null) return null;
  let head: ObjectHead | null = headOf(answer, at);
  if (answer.status === 416) {
    // Behind its end: the refusal says how long it is, and nothing else.
    answer.drop();
    head = await headObject(connection, at);
    if (head === null) return null;
  }
  const first = options.from ?? 0;
  const end = Math.min(options.to ?? head.size, head.size);
  return { head, chunks: readOn(connection, at, { head, from: first, end, answer, signal: options.signal }) };
}

interface Reading {
  readonly head: ObjectHead;
  readonly from: number;
  readonly end: number;
  readonly answer: S3Answer;
  readonly signal: AbortSignal | undefined;
}

/** Where the connection breaks, it goes on with the byte after the last one, of the same version. */
async function* readOn(
  connection: S3Connection,
  at: Bare,
  { head, from, end, answer: first, signal }: Reading,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = from;
  let answer: S3Answer | null = first;
  let fruitless = 0;
  while (position < end) {
    const before = position;
    try {
      answer ??= await get(connection, at, { etag: head.etag, from: position, to: end, signal });
      if (answer === null) throw changed(at, position);
      if (headOf(answer, at).size !== head.size) throw changed(at, position);
      for await (const chunk of connection.chunks(answer.body)) {
        if (position + chunk.length > end) throw tooLong(at, end);
        position += chunk.length;
        yield chunk;
      }
      if (position < end) throw new Unanswered(`the answer ends at byte ${position} of ${end}`);
    } catch (error) {
      answer?.drop();
      answer = null;
      if (!(error instanceof Unanswered) || signal?.aborted === true) throw error;
      fruitless = position > before ? 1 : fruitless + 1;
      await connection.again({ ...at, signal }, fruitless, error);
    }
  }
  answer?.drop();
}

async function get(connection: S3Connection, at: Bare, options: ReadOptions): Promise<S3Answer | null> {
  const { etag = null, from = 0, to = null, signal } = options;
  const isPart = from > 0 || to !== null;
  const headers = {
    ...(etag === null ? {} : { "if-match": etag }),
    ...(isPart ? { range: `bytes=${from}-${to === null ? "" : Math.max(to - 1, from)}` } : {}),
  };
  const answer = await connection.send({ method: "GET", ...at, headers, taken: [404, 412, 416], signal });
  if (answer.status === 412) {
    answer.drop();
    throw changed(at, from);
  }
  if (answer.status === 404) {
    const refusal = refusalOf(404, answer.header, await answer.text());
    if (refusal.code === "" || refusal.code === "NoSuchKey") return null;
    throw refusedError(refusal, `s3://${at.bucket}/${at.key}`, true);
  }
  if (isPart && answer.status === 200 && from > 0) {
    answer.drop();
    throw new DataError(`s3://${at.bucket}/${at.key}: the server does not give parts of objects`, {
      code: "s3-refused",
    });
  }
  return answer;
}

/** Stores `bytes`. `false`: it is there already, and was to be new. */
export async function putObject(
  connection: S3Connection,
  at: Bare,
  bytes: Uint8Array<ArrayBuffer>,
  { isNew = false, meta = {}, digest }: PutOptions = {},
): Promise<boolean> {
  const answer = await connection.send({
    method: "PUT",
    ...at,
    body: bytes,
    ...(digest === undefined ? {} : { bodyDigest: digest }),
    headers: { ...(isNew ? { "if-none-match": "*" } : {}), ...metaHeaders(meta) },
    ...(isNew ? { taken: [412] } : {}),
  });
  answer.drop();
  return answer.status !== 412;
}

/** What is not there is deleted already. */
export async function deleteObject(connection: S3Connection, at: Bare): Promise<void> {
  const answer = await connection.send({ method: "DELETE", ...at, taken: [404] });
  answer.drop();
}

export function metaHeaders(meta: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(meta).map(([name, value]) => [`x-amz-meta-${name}`, value]));
}

function headOf(answer: S3Answer, at: Bare): ObjectHead {
  const whole = /^bytes (?:\d+-\d+|\*)\/(\d+)$/.exec(answer.header("content-range") ?? "")?.[1];
  const length = whole ?? answer.header("content-length");
  const size = length === null ? Number.NaN : Number(length);
  if (!Number.isSafeInteger(size)) {
    throw new DataError(`s3://${at.bucket}/${at.key}: the server does not say how long the object is`, {
      code: "s3-refused",
    });
  }
  return {
    size,
    etag: answer.header("etag"),
    modifiedAt: Date.parse(answer.header("last-modified") ?? "") || 0,
    encoding: answer.header("content-encoding"),
    meta: (name) => answer.header(`x-amz-meta-${name}`),
  };
}

function changed({ bucket, key }: Bare, position: number): DataError {
  const url = `s3://${bucket}/${key}`;
  const when = position === 0 ? "since the job looked at it" : `while it was read (at byte ${position})`;
  return new DataError(`${url} changed ${when}`, {
    code: "input-changed",
    url,
    hint: "Start the job again; write new objects instead of overwriting those that jobs read.",
  });
}

function tooLong({ bucket, key }: Bare, end: number): DataError {
  return new DataError(`s3://${bucket}/${key}: the server announced ${end} bytes and sent more`, {
    code: "bad-length",
  });
}
