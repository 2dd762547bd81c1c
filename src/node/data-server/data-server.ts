/**
 * A node's data over HTTP: `GET|HEAD /disco/NODE/hh/JOB/…` is the file `DATA/NODE/hh/JOB/…`, as in Disco, with ranges. Whatever
 * else the data directory holds (the master's files, other nodes', what lies above a job's home) has no address.
 *
 * `POST /disco/NODE/hh/JOB/.disco/outputs` is for other nodes' tasks (`outputs.ts`).
 *
 * `/ddfs/…` are its blobs (`ddfs/blob-server.ts`).
 *
 * `/proxy/NODE/GET/PATH` is `PATH` at node NODE: for clients that reach no machine but this one (`DISCO_PROXY`).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createBlobServer } from "../ddfs/blob-server.ts";
import type { OwnBlobs } from "../ddfs/own-blobs.ts";
import { Peers } from "../fetch/peers.ts";
import { jobDirectory } from "../job-directory.ts";
import { openContained } from "./contained-file.ts";
import { DigestCache } from "./file-digest.ts";
import { forward } from "./forward.ts";
import { sendOutputs } from "./outputs.ts";
import { parseRange } from "./range.ts";
import { pathOf, pathSegments } from "./request-path.ts";
import { sendBytes } from "./send-file.ts";

export interface DataServerOptions {
  readonly dataDir: string;
  /** Name of this node. */
  readonly host: string;
  /** Names that it had before: what it wrote then is still its own. Default: none. */
  readonly formerHosts?: ReadonlySet<string>;
  /** Default: it has none. */
  readonly blobs?: OwnBlobs | undefined;
  /** Base URLs of the data servers of other nodes, by name: where requests for them are passed on to. Default: none. */
  readonly nodes?: () => Readonly<Record<string, string>>;
  /** How they are asked: with the cluster's token, and a certificate authority. Default: without either. */
  readonly peers?: Peers;
}

export type DataServer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** `/disco/NODE/hh/JOB` and at least one name below. */
const segmentsMin = 5;
const retryAfterSeconds = 1;
/** Requests passed on to one node at once. */
const forwardedMax = 64;

/** Answers requests whose path begins with `/disco/`, `/ddfs/` or `/proxy/`; 404 for any other. Who may ask has been checked before. */
export function createDataServer(options: DataServerOptions): DataServer {
  const { dataDir, host, nodes = () => ({}), formerHosts = new Set(), blobs } = options;
  const serveBlobs = blobs === undefined ? null : createBlobServer({ blobs, host });
  const isOwn = (node: string | undefined): node is string =>
    node !== undefined && (node === host || formerHosts.has(node));
  const digests = new DigestCache();
  const peers = options.peers ?? new Peers({ urlOf: () => undefined, connectionsMax: forwardedMax });

  return async (request, response) => {
    const segments = pathSegments(request.url ?? "");
    if (segments === null) return refuse(response, 400, "This is not a path to a file of a job.");
    if (segments[0] !== "proxy") return await serve(request, response, segments);
    const [, node, method, ...path] = segments;
    if (node === undefined || method === undefined || path.length === 0) return refuse(response, 404, "Not found.");
    const isUpload = method === "PUT" && request.method === "PUT" && path[0] === "ddfs";
    if (method !== "GET" && method !== "HEAD" && !isUpload) {
      return refuse(response, 405, "Only GET and HEAD are passed on, and PUT of blobs.", { allow: "GET, HEAD, PUT" });
    }
    if (isOwn(node)) return await serve(request, response, path);
    if (path[0] === "ddfs") return await passBlob(request, response, node, path);
    if (path[0] !== "disco" || path[1] !== node) return refuse(response, 404, "Not found.");
    await pass(request, response, path);
  };

  /** A blob to or from another node. */
  async function passBlob(
    request: IncomingMessage,
    response: ServerResponse,
    node: string,
    path: readonly string[],
  ): Promise<void> {
    const base = baseOf(node);
    if (base === undefined) return refuse(response, 404, "Not found.");
    if (!isRead(request) && request.method !== "PUT") return refuse(response, 501, "Blobs are put, and read.");
    await forward(request, response, base + pathOf(path), peers);
  }

  function baseOf(node: string): string | undefined {
    const known: Readonly<Record<string, string>> = nodes();
    return Object.hasOwn(known, node) ? known[node]?.replace(/\/+$/, "") : undefined;
  }

  /** To the node whose file it is. */
  async function pass(request: IncomingMessage, response: ServerResponse, path: readonly string[]): Promise<void> {
    const base = baseOf(path[1] ?? "");
    if (base === undefined) return refuse(response, 404, "Not found.");
    if (!isRead(request)) return refuse(response, 405, "Only GET and HEAD are passed on.", { allow: "GET, HEAD" });
    await forward(request, response, base + pathOf(path), peers);
  }

  async function serve(request: IncomingMessage, response: ServerResponse, path: readonly string[]): Promise<void> {
    const [disco, node, hash, job] = path;
    if (disco === "ddfs" && serveBlobs !== null) return await serveBlobs(request, response, path);
    const isOfJob =
      disco === "disco" &&
      node !== undefined &&
      job !== undefined &&
      `${node}/${hash}/${job}` === jobDirectory(node, job);
    if (!isOfJob) return refuse(response, 404, "Not found.");
    // Addresses of results may name any server that reaches their node.
    if (!isOwn(node)) return await pass(request, response, path);
    if (request.method === "POST" && path.length === 6 && path[4] === ".disco" && path[5] === "outputs") {
      const home = [node, hash ?? "", job] as const;
      return await sendOutputs(request, response, { dataDir, home }, (status, text) => refuse(response, status, text));
    }
    if (!isRead(request)) return refuse(response, 405, "Files are only read.", { allow: "GET, HEAD" });
    const segments = path.slice(1);
    const opened = await openContained(dataDir, segments);
    if (opened.kind === "busy") {
      return refuse(response, 503, "Too many files are open.", { "retry-after": String(retryAfterSeconds) });
    }
    if (opened.kind === "none") return refuse(response, 404, "Not found.");
    if (opened.kind === "directory" || path.length < segmentsMin) {
      return refuse(response, 403, "This is a directory.");
    }
    const { handle, etag, size, modified } = opened;
    try {
      const headers: Record<string, string> = {
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
        etag,
        "last-modified": modified.toUTCString(),
      };
      if (request.headers["if-none-match"] === etag) {
        response.writeHead(304, headers).end();
        return;
      }
      const ifRange = request.headers["if-range"];
      const isSame = ifRange === undefined || ifRange === etag;
      const range = parseRange(isSame && request.method === "GET" ? request.headers.range : undefined, size);
      if (range.kind === "outside") {
        return refuse(response, 416, `The file has ${size} bytes.`, { "content-range": `bytes */${size}`, etag });
      }
      if (/\bsha-256\b/i.test(header(request, "want-repr-digest"))) {
        const digest = await digests.of(opened, dataDir, segments);
        if (digest !== null) headers["repr-digest"] = `sha-256=:${digest}:`;
      }
      const { from, to } = range.kind === "part" ? range : { from: 0, to: size };
      if (range.kind === "part") headers["content-range"] = `bytes ${from}-${to - 1}/${size}`;
      headers["content-type"] = "application/octet-stream";
      headers["content-length"] = String(to - from);
      headers["x-content-type-options"] = "nosniff";
      response.writeHead(range.kind === "part" ? 206 : 200, headers);
      if (request.method === "HEAD") response.end();
      else await sendBytes(response, handle, from, to);
    } finally {
      await handle.close();
    }
  }
}

function isRead({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "HEAD";
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
}

function refuse(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, {
    ...headers,
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(body.length),
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}
