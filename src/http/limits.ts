/**
 * What one client may cost: sizes are checked on the head of a request, before any of its body is read. Node's parser enforces
 * the size of headers and refuses contradicting lengths; the rest is decided here.
 */
import type { IncomingMessage, ServerOptions } from "node:http";
import { hasBody, type Refusal } from "./refusal.ts";

export interface HttpLimits {
  /** Request line and headers together. */
  readonly headerBytesMax: number;
  readonly headersMax: number;
  readonly urlBytesMax: number;
  /** Of every body that is no job pack. */
  readonly jsonBytesMax: number;
  readonly jsonDepthMax: number;
  readonly connectionsMax: number;
  /** From the connection, or the end of the request before, until the headers are complete. */
  readonly headersTimeoutMs: number;
  /** How long a connection may wait for its next request. */
  readonly keepAliveMs: number;
  /** A body has so long before its pace counts. */
  readonly bodyGraceMs: number;
  /** Slower than this, on average, is no transfer. */
  readonly bodyBytesPerSecondMin: number;
  /** An answer of which a client takes nothing for so long is cut off. */
  readonly stallMs: number;
  /** How often slow bodies and late headers are looked for. */
  readonly watchEveryMs: number;
  /** Requests that are being answered have so long when the server closes. */
  readonly closeGraceMs: number;
}

export const defaultLimits: HttpLimits = {
  headerBytesMax: 16 * 1024,
  headersMax: 100,
  urlBytesMax: 4 * 1024,
  jsonBytesMax: 4 * 1024 * 1024,
  jsonDepthMax: 64,
  // Waiting clients hold one each.
  connectionsMax: 4_096,
  headersTimeoutMs: 15_000,
  keepAliveMs: 10_000,
  bodyGraceMs: 20_000,
  bodyBytesPerSecondMin: 1_024,
  stallMs: 60_000,
  watchEveryMs: 2_000,
  closeGraceMs: 5_000,
};

/** What Node's server enforces by itself. */
export function serverOptions(limits: HttpLimits): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    // A pack of a gigabyte takes as long as the line needs: its pace is watched instead (`body-watch.ts`).
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.watchEveryMs,
    insecureHTTPParser: false,
    requireHostHeader: true,
    noDelay: true,
  };
}

type Head = Pick<IncomingMessage, "method" | "headers" | "rawHeaders" | "url"> & IncomingMessage;

/** What is wrong with the head of a request, if anything. `bodyBytesMax` is that of its path. */
export function headRefusal(request: Head, bodyBytesMax: number, limits: HttpLimits): Refusal | null {
  const { method, headers, rawHeaders, url } = request;
  if (Buffer.byteLength(url ?? "") > limits.urlBytesMax) {
    return { status: 414, code: "url-too-long", message: `a URL of at most ${limits.urlBytesMax} bytes expected` };
  }
  if (rawHeaders.length / 2 > limits.headersMax) {
    return { status: 431, code: "too-many-headers", message: `at most ${limits.headersMax} headers expected` };
  }
  for (const single of ["host", "authorization", "origin"]) {
    if (timesGiven(rawHeaders, single) > 1) {
      return { status: 400, code: "repeated-header", message: `the header ${single} is given more than once` };
    }
  }
  const encoding = headers["transfer-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "chunked") {
    return { status: 501, code: "bad-transfer-encoding", message: "only the transfer encoding chunked is known" };
  }
  if (headers["content-encoding"] !== undefined && headers["content-encoding"] !== "identity") {
    return { status: 415, code: "bad-content-encoding", message: "a body without content encoding expected" };
  }
  if ((method === "GET" || method === "HEAD") && hasBody(request)) {
    return { status: 400, code: "unexpected-body", message: `${method} takes no body` };
  }
  if (Number(headers["content-length"] ?? 0) > bodyBytesMax) return tooLarge(bodyBytesMax);
  return null;
}

export function tooLarge(bytesMax: number): Refusal {
  return { status: 413, code: "body-too-large", message: `a body of at most ${bytesMax} bytes expected` };
}

function timesGiven(rawHeaders: readonly string[], name: string): number {
  let times = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === name) times++;
  return times;
}

/** Whether brackets are nested deeper than that: told without parsing, since those who walk the value may recurse. */
export function isDeeper(json: Uint8Array, depthMax: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (inString) {
      if (byte === backslash) i++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === openBracket || byte === openBrace) {
      if (++depth > depthMax) return true;
    } else if (byte === closeBracket || byte === closeBrace) depth--;
  }
  return false;
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = Buffer.from('"\\[]{}');
