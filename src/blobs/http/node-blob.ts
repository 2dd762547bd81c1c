/**
 * One blob of a node, over HTTP (`node/ddfs/blob-server.ts`): put, read, looked at. What the node says of its bytes is believed as far as
 * it can be checked: an upload counts when the node names the digest of what was sent, a blob that is read from its first byte to its
 * last when its bytes have the digest that was told.
 */
import { createHash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Readable, Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { parseBlobAddress } from "../../core/ddfs/names.ts";
import { CommError, DataError, DiscoError, type DiscoErrorDetails } from "../../errors.ts";
import type { StoredBlob } from "../../protocol/ddfs/messages.ts";
import { digestHeader, digestIn } from "./digest-header.ts";

export interface NodeRequest {
  readonly method: "GET" | "HEAD" | "PUT";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Readable;
  readonly signal?: AbortSignal | undefined;
}

/** The answer, once its head is here. @throws CommError where there is none */
export type AskNode = (url: string, request: NodeRequest) => Promise<IncomingMessage>;

export interface PutOptions {
  readonly size?: number | undefined;
  readonly digest?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The caller compares the digest that the node tells: no other one is made here, and where the node tells none it is empty. */
  readonly isCompared?: boolean | undefined;
}

export interface ReadOptions {
  /** The first byte wanted. Default 0. */
  readonly from?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadBlob {
  /** Bytes of the whole blob. */
  readonly size: number;
  readonly digest: string | null;
  readonly body: Readable;
}

/** Taken from the network ahead of who reads: chunks of a socket have 64 KiB. */
const aheadChunks = 64;
const aheadBytes = aheadChunks * 64 * 1024;
/** Of an answer that is no blob. */
const excerptCharsMax = 300;

/** What a node means by a status, for who may ask another node. */
const refusals: Readonly<Record<number, { readonly code: string; readonly retry: "here" | "elsewhere" | "never" }>> = {
  401: { code: "unauthorized", retry: "never" },
  403: { code: "forbidden", retry: "never" },
  429: { code: "too-many-wrong-tokens", retry: "here" },
  500: { code: "node-failed", retry: "elsewhere" },
  503: { code: "node-busy", retry: "elsewhere" },
  507: { code: "disk-full", retry: "elsewhere" },
};

/**
 * Stores the object that the URL (`http://HOST:PORT/ddfs/NAME$ts`) names.
 * @throws CommError `peer-unreachable` …, DiscoError `disk-full`, `node-busy`, `node-failed`, `digest-mismatch` … by `retry` for another node or for none
 */
export async function putNodeBlob(
  ask: AskNode,
  url: string,
  source: AsyncIterable<Uint8Array>,
  { size, digest, signal, isCompared = false }: PutOptions = {},
): Promise<StoredBlob & { readonly url: string }> {
  const hash = isCompared ? null : createHash("sha256");
  let bytes = 0;
  const body = Readable.from(
    (async function* () {
      for await (const chunk of source) {
        hash?.update(chunk);
        bytes += chunk.byteLength;
        yield chunk;
      }
    })(),
    { objectMode: false },
  );
  const headers = {
    ...(size === undefined ? {} : { "content-length": String(size) }),
    ...(digest === undefined ? {} : { "repr-digest": digestHeader(digest) }),
  };
  const answer = await ask(url, { method: "PUT", headers, body, signal });
  const said = await text(answer);
  if (answer.statusCode !== 201) throw refusalOf(answer, said, url);
  const address = addressIn(said);
  const stored = address === null ? null : parseBlobAddress(address);
  const { "repr-digest": shown } = answer.headers;
  const told = digestIn(answer.headers);
  const sent = hash?.digest("hex") ?? told ?? "";
  if (address === null || stored === null || (shown !== undefined && told !== sent)) {
    const why = stored === null ? "does not say where it keeps it" : "keeps other bytes than were sent";
    throw new CommError(`${url}: the node ${why}`, { code: "digest-mismatch", retry: "elsewhere", url });
  }
  return {
    object: stored.object,
    volume: stored.volume,
    size: bytes,
    digest: sent,
    storedAt: storedAtIn(answer),
    url: address,
  };
}

/** `null`: it is not there. @throws CommError, DiscoError as `putNodeBlob` */
export async function readNodeBlob(
  ask: AskNode,
  url: string,
  { from = 0, signal }: ReadOptions = {},
): Promise<ReadBlob | null> {
  const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
  const answer = await ask(url, { method: "GET", headers, signal });
  const { statusCode } = answer;
  if (statusCode === 404) {
    answer.resume();
    return null;
  }
  const digest = digestIn(answer.headers);
  const size = sizeIn(answer.headers);
  // A range behind the last byte is nothing, and no error.
  if (statusCode === 416 && size !== null && from >= size) {
    answer.resume();
    return { size, digest, body: Readable.from([]) };
  }
  if (statusCode !== (from > 0 ? 206 : 200) || size === null) {
    throw refusalOf(answer, await text(answer), url);
  }
  return { size, digest, body: checked(answer, { url, bytes: size - from, digest: from > 0 ? null : digest }) };
}

/** `null`: it is not there. */
export async function statNodeBlob(ask: AskNode, url: string, signal?: AbortSignal): Promise<StoredBlob | null> {
  const answer = await ask(url, { method: "HEAD", headers: {}, signal });
  answer.resume();
  if (answer.statusCode === 404) return null;
  const [, volume = "", object = ""] = /\/ddfs\/(vol\d{1,4})\/blob\/[0-9a-f]{2}\/([^/]+)$/.exec(url) ?? [];
  const size = sizeIn(answer.headers);
  if (answer.statusCode !== 200 || size === null) throw refusalOf(answer, "", url);
  return {
    object: decodeURIComponent(object),
    volume,
    size,
    storedAt: storedAtIn(answer),
    digest: digestIn(answer.headers) ?? "",
  };
}

/** Ends well only when all bytes came, and are those that the digest is of. The last chunk is held back until that is known. */
function checked(
  answer: IncomingMessage,
  { url, bytes, digest }: { readonly url: string; readonly bytes: number; readonly digest: string | null },
): Readable {
  const hash = digest === null ? null : createHash("sha256");
  let seen = 0;
  let held: Buffer | null = null;
  const check = new Transform({
    writableHighWaterMark: aheadBytes,
    // As chunks, which a loop would otherwise be given joined, that is, copied.
    readableObjectMode: true,
    readableHighWaterMark: aheadChunks,
    transform(chunk: Buffer, _encoding, done) {
      hash?.update(chunk);
      seen += chunk.byteLength;
      const ready = held;
      held = chunk;
      if (ready === null) done();
      else done(null, ready);
    },
    flush(done) {
      if (seen !== bytes) done(brokenOff(url, seen, bytes));
      else if (hash !== null && hash.digest("hex") !== digest) done(damaged(url));
      else done(null, held);
    },
  });
  answer.on("error", (cause) => check.destroy(brokenOff(url, seen, bytes, cause)));
  answer.on("aborted", () => check.destroy(brokenOff(url, seen, bytes)));
  check.on("close", () => answer.destroy());
  // It may break off before anybody reads, who is told of it then: an error that nobody listens to would end the process.
  check.on("error", () => undefined);
  return answer.pipe(check);
}

function refusalOf({ statusCode = 0 }: IncomingMessage, said: string, url: string): DiscoError {
  const { code, retry } = refusals[statusCode] ?? { code: "node-refused", retry: "never" };
  const why = said.replace(/\s+/g, " ").trim().slice(0, excerptCharsMax) || "it does not say why";
  const message = `${url}: the node answers ${statusCode} (${why})`;
  const details: DiscoErrorDetails = { code, retry, url };
  return statusCode >= 500 && statusCode !== 507 ? new CommError(message, details) : new DiscoError(message, details);
}

function brokenOff(url: string, seen: number, bytes: number, cause?: unknown): CommError {
  const message = `${url}: ${seen} of ${bytes} bytes came`;
  return new CommError(message, { code: "cut-off", url, ...(cause === undefined ? {} : { cause }) });
}

function damaged(url: string): DataError {
  return new DataError(`${url}: its bytes are not those that were stored`, { code: "blob-damaged", url });
}

function addressIn(said: string): string | null {
  try {
    const value: unknown = JSON.parse(said);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}

function sizeIn({ "content-length": length, "content-range": range }: IncomingHttpHeaders): number | null {
  const whole = /^bytes (?:\d+-\d+|\*)\/(\d{1,16})$/.exec(range ?? "")?.[1] ?? length;
  return whole !== undefined && /^\d{1,16}$/.test(whole) ? Number(whole) : null;
}

function storedAtIn({ headers }: IncomingMessage): number {
  const time = Date.parse(headers["last-modified"] ?? headers.date ?? "");
  return Number.isNaN(time) ? 0 : time;
}
