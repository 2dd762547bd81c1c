/**
 * The data server of a node that is a process of its own: files of jobs, outputs for other nodes, and blobs, over HTTP or HTTPS,
 * and nothing else. `/healthz` is answered to everybody.
 *
 * Whoever has the cluster's token, what is derived from it for data, or one of the masters' for reading, may read; to store
 * blobs takes one that may submit jobs. Without any
 * token only this machine reaches the server, and then a request must be addressed to a name of this machine: a web page could
 * have its own name lead here.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { hostname } from "node:os";
import { BodyWatch } from "../../http/body-watch.ts";
import { HostCheck } from "../../http/host-check.ts";
import { defaultLimits, type HttpLimits, headRefusal } from "../../http/limits.ts";
import { assertGuarded, listen, urlOf } from "../../http/listen.ts";
import { createServerFor } from "../../http/plain-or-tls.ts";
import { hasBody, type Refusal, sendRefusal } from "../../http/refusal.ts";
import { TokenCheck } from "../../http/token-check.ts";
import { TrustedNetworks } from "../../http/trusted-networks.ts";
import type { Scope } from "../../settings/daemon-settings.ts";
import type { OwnBlobs } from "../ddfs/own-blobs.ts";
import { createDataServer } from "./data-server.ts";

/** Of a list of outputs. A blob is as large as there is room. */
const bodyBytesMax = 16 * 1024 * 1024;

export interface NodeDataParts {
  readonly dataDir: string;
  /** Name of the node. */
  readonly node: string;
  /** Absent: it has none. */
  readonly blobs?: OwnBlobs;
  /** Where it listens: an address or name of this machine, and a port, 0 for any that is free. */
  readonly host: string;
  readonly port: number;
  /** Each of them may read. */
  readonly tokens: Readonly<Partial<Record<Scope, string>>>;
  /** PEM. Absent: HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Other names under which this machine may be addressed. */
  readonly allowedHosts?: Iterable<string>;
  /** Networks whose machines need no token. Default: none. */
  readonly trustedNetworks?: readonly string[];
  readonly limits?: Partial<HttpLimits>;
  /** A request was refused, or failed: for a log. Neither tokens nor paths are told. */
  readonly noted?: (what: { readonly code: string; readonly address: string }) => void;
}

export interface NodeDataServer {
  /** Base URL, as programs on this machine reach it. */
  readonly url: string;
  readonly port: number;
  /** No new requests; those that are being answered have some seconds. Resolves when nothing listens. */
  close(): Promise<void>;
}

/** @throws DiscoError `token-needed`, `port-in-use`, `port-forbidden`, `bad-host`, `bad-certificate` */
export async function serveNodeData(parts: NodeDataParts): Promise<NodeDataServer> {
  const { dataDir, node, blobs, host, port, tokens, tls, allowedHosts = [], noted } = parts;
  const tokenCheck = new TokenCheck(tokens, { trusted: new TrustedNetworks(parts.trustedNetworks) });
  await assertGuarded(host, !tokenCheck.isOpen);
  const limits: HttpLimits = { ...defaultLimits, ...parts.limits };
  const names = new HostCheck(["localhost", hostname(), node], allowedHosts);
  const data = createDataServer({ dataDir, host: node, blobs });
  const watch = new BodyWatch(limits);

  const refusalOf = (request: IncomingMessage): Refusal | null => {
    const { method = "", headers } = request;
    const stores = method === "PUT";
    // Without a token a page in a browser could ask as well as anybody.
    const isOpen = tokenCheck.isOpen || tokenCheck.isTrusted(request.socket.remoteAddress);
    return (
      headRefusal(request, stores ? Number.POSITIVE_INFINITY : bodyBytesMax, limits) ??
      (isOpen ? names.refusal(method, headers) : null) ??
      tokenCheck.refusal(request, stores ? "submit" : "read")
    );
  };
  const take = async (request: IncomingMessage, response: ServerResponse, asks = false): Promise<void> => {
    response.on("error", () => undefined);
    const address = request.socket.remoteAddress ?? "";
    try {
      if (request.url === "/healthz" && (request.method === "GET" || request.method === "HEAD")) {
        response.writeHead(200, { "content-type": "text/plain; charset=utf-8", "content-length": "3" });
        response.end("ok\n");
        return;
      }
      const refusal = refusalOf(request);
      if (refusal === null) {
        if (hasBody(request)) watch.add(request, response, "/disco/");
        if (asks) response.writeContinue();
        return await data(request, response);
      }
      noted?.({ code: refusal.code, address });
      sendRefusal(request, response, "/disco/", refusal);
    } catch {
      noted?.({ code: "internal-error", address });
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    }
  };
  const server = createServerFor(tls, limits);
  server.maxConnections = limits.connectionsMax;
  server.maxHeadersCount = limits.headersMax + 1;
  server.on("request", (request, response) => void take(request, response));
  // Who asks before sending a large body is told before it was sent.
  server.on("checkContinue", (request, response) => void take(request, response, true));
  const bound = await listen(server, host, port);

  const close = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), limits.closeGraceMs);
    await ended;
    clearTimeout(timer);
    watch.close();
  };
  let closing: Promise<void> | undefined;
  const url = urlOf(host, bound, tls === undefined ? "http" : "https");
  return { url, port: bound, close: () => (closing ??= close()) };
}
