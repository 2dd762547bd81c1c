/**
 * Blobs over HTTP, as in Disco:
 *
 *   PUT /ddfs/OBJECT                          201 "disco://HOST/ddfs/vol0/blob/HH/OBJECT"
 *   GET, HEAD /ddfs/vol0/blob/HH/OBJECT       the bytes, with ranges; `Repr-Digest` of the whole
 *
 * An upload is whole or nothing: its announced length counts, and so does a digest that it shows (`Repr-Digest` or `Content-Digest`).
 * A blob that turns out damaged while it is sent ends the connection: its reader goes to another replica.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { digestHeader, digestIn } from "../../blobs/http/digest-header.ts";
import { hashOf } from "../../blobs/volumes/layout.ts";
import { isObject } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import { parseRange } from "../data-server/range.ts";
import type { OwnBlobs } from "./own-blobs.ts";
import { UploadGate } from "./upload-gate.ts";

export interface BlobServerParts {
  readonly blobs: Pick<OwnBlobs, "open"> & Partial<Pick<OwnBlobs, "sharedHost">>;
  /** Name of the node, in addresses. */
  readonly host: string;
}

/** `segments` of the request's path, decoded: `ddfs` and what follows. */
export type BlobServer = (
  request: IncomingMessage,
  response: ServerResponse,
  segments: readonly string[],
) => Promise<void>;

/** Uploads that are written at once: more than disks need, as some senders are slow. */
const activeMax = 64;
/** More that wait, unread. */
const waitingMax = 1_000;
const retryAfterSeconds = 1;
/** What a client still sends after it was refused is read for so long, or it would see a reset instead of the reason. */
const lingerMs = 1_000;
const storeFailed = "The blob could not be stored.";
const statuses: Readonly<Record<string, number>> = {
  "bad-name": 403,
  "blob-exists": 500,
  "cut-off": 400,
  "digest-mismatch": 400,
  "disk-full": 507,
  "no-volume": 503,
};

export function createBlobServer({ blobs, host }: BlobServerParts): BlobServer {
  const gate = new UploadGate({ active: activeMax, waiting: waitingMax });
  return async (request, response, [first, second = "", kind = "", hash = "", object = "", ...more]) => {
    if (first !== "ddfs") return say(response, 404, "Not found.");
    const { method } = request;
    if (method === "PUT" && kind === "") return await takeInTurn(request, response, second);
    if (method !== "GET" && method !== "HEAD") return say(response, 501, "Blobs are put, and read.");
    const isBlob = kind === "blob" && /^vol\d{1,4}$/.test(second) && more.length === 0 && isObject(object);
    if (!isBlob || hashOf(object) !== hash) return say(response, 404, "Not found.");
    await give(request, response, object);
  };

  async function takeInTurn(request: IncomingMessage, response: ServerResponse, object: string): Promise<void> {
    if (!isObject(object)) return refuse(request, response, 403, "Invalid blob name.");
    const left = new AbortController();
    response.once("close", () => left.abort());
    const leave = await gate.enter(left.signal);
    if (leave === null) {
      const headers = { "retry-after": String(retryAfterSeconds) };
      return refuse(request, response, 503, "Too many uploads.", headers);
    }
    try {
      await take(request, response, object);
    } finally {
      leave();
    }
  }

  async function take(request: IncomingMessage, response: ServerResponse, object: string): Promise<void> {
    const length = request.headers["content-length"];
    const digest = digestIn(request.headers);
    try {
      const expected = {
        ...(length === undefined ? {} : { size: Number(length) }),
        ...(digest === null ? {} : { digest }),
      };
      // The request is left as it is: destroyed, it would take the connection along, and the answer with it.
      const stored = await (await blobs.open()).put(object, request.iterator({ destroyOnReturn: false }), expected);
      const body = Buffer.from(JSON.stringify(replicaAddress(blobs.sharedHost ?? host, stored.volume, object)));
      response.writeHead(201, {
        "content-type": "application/json",
        "content-length": String(body.length),
        "last-modified": new Date(stored.storedAt).toUTCString(),
        "repr-digest": digestHeader(stored.digest),
        "x-content-type-options": "nosniff",
      });
      response.end(body);
    } catch (error) {
      if (response.destroyed) return;
      const status = error instanceof DiscoError ? statuses[error.code] : undefined;
      refuse(request, response, status ?? 500, status === undefined ? storeFailed : (error as Error).message);
    }
  }

  async function give(request: IncomingMessage, response: ServerResponse, object: string): Promise<void> {
    const store = await blobs.open();
    const stored = await store.stat(object);
    if (stored === null) return say(response, 404, "Not found.");
    const etag = `"${stored.digest}"`;
    const ifRange = request.headers["if-range"];
    const isSame = ifRange === undefined || ifRange === etag;
    const range = parseRange(isSame && request.method === "GET" ? request.headers.range : undefined, stored.size);
    const headers: Record<string, string> = {
      "accept-ranges": "bytes",
      "cache-control": "private, immutable",
      "content-type": "application/octet-stream",
      etag,
      "last-modified": new Date(stored.storedAt).toUTCString(),
      "repr-digest": digestHeader(stored.digest),
      "x-content-type-options": "nosniff",
    };
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304, headers).end();
      return;
    }
    if (range.kind === "outside") {
      return say(response, 416, `The blob has ${stored.size} bytes.`, { "content-range": `bytes */${stored.size}` });
    }
    const { from, to } = range.kind === "part" ? range : { from: 0, to: stored.size };
    headers["content-length"] = String(to - from);
    if (range.kind === "part") headers["content-range"] = `bytes ${from}-${to - 1}/${stored.size}`;
    const status = range.kind === "part" ? 206 : 200;
    if (request.method === "HEAD") {
      response.writeHead(status, headers).end();
      return;
    }
    const opened = await store.open(object, { from, to });
    if (opened === null) return say(response, 404, "Not found.");
    try {
      // Small ones are known to be sound before the answer begins.
      await readable(opened.body);
    } catch (error) {
      return say(response, 500, error instanceof DiscoError ? error.message : "The blob could not be read.");
    }
    response.writeHead(status, headers);
    await pipeline(opened.body, response).catch(() => response.destroy());
  }
}

/** Resolves when there is something to read, or the end. @throws what the stream fails with before */
function readable(body: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    body.once("readable", resolve).once("end", resolve).once("error", reject);
  });
}

/** Of an upload: what is left of its body is dropped. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  if (response.destroyed) return;
  if (request.complete) {
    say(response, status, text, headers);
    return;
  }
  response.shouldKeepAlive = false;
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, { ...headers, ...textHeaders(body) });
  response.write(body);
  const timer = setTimeout(() => response.end(), lingerMs);
  const over = (): void => {
    clearTimeout(timer);
    response.end();
  };
  request.once("end", over).once("close", over).once("error", over).resume();
}

function say(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, { ...headers, ...textHeaders(body) }).end(body);
}

function textHeaders(body: Buffer): Record<string, string> {
  return {
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(body.length),
    "x-content-type-options": "nosniff",
  };
}
