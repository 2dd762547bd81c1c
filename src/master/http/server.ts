/**
 * The daemon's HTTP server: one port, and each request passes, in this order,
 *
 *   limits ─▶ guard (Host, Origin, token, scope) ─▶ /healthz, /readyz ─▶ data server ─▶ /api/v1 ─▶ Disco's own interface ─▶ 404
 *
 * V1. Nothing is done for a request before limits and guard have passed it; they read its head only.
 * V2. Whatever a handler throws is an answer, never the end of the process, and tells nothing of our insides.
 * V3. Closing: no new requests, waiting ones are told, short ones have `closeGraceMs` to end; then every connection is cut.
 */
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { hostname } from "node:os";
import { packageVersion } from "../../package-version.ts";
import type { DaemonSettings } from "../../settings/daemon-settings.ts";
import type { Log } from "../log.ts";
import type { ServedMaster } from "../served-master.ts";
import { BodyWatch } from "./body-watch.ts";
import { answerParserError } from "./client-error.ts";
import { type DiscoInterfaceParts, handleDisco } from "./disco-interface.ts";
import { Guard } from "./guard.ts";
import type { Caller, Handler } from "./handler.ts";
import { type HealthParts, sendHealth, sendReadiness } from "./health.ts";
import { JobListBody } from "./job-list.ts";
import { defaultLimits, type HttpLimits, headRefusal, serverOptions } from "./limits.ts";
import { assertGuarded, listen, urlOf } from "./listen.ts";
import { hasBody, type Refusal, Refused, sendRefusal } from "./refusal.ts";
import { text } from "./route.ts";
import { prepare, send } from "./send.ts";
import { isRefusal, parseTarget, type Target, unwrapped } from "./target.ts";

export interface HttpParts {
  readonly master: ServedMaster;
  readonly settings: Pick<DaemonSettings, "host" | "port" | "node" | "tokens" | "allowedHosts" | "packBytesMax">;
  /** Unique for each start of the daemon. */
  readonly instance: string;
  readonly log: Log;
  /** `/api/v1/…` */
  readonly api?: Handler;
  /** `/disco/NODE/hh/JOB/…` and the same below `/proxy/NODE/METHOD/`. */
  readonly data?: Handler;
  /** Why the daemon is not ready, e.g. `starting`; `null` when it is. What the master itself tells is asked anyway. */
  readonly unready?: () => string | null;
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpServer {
  /** Base URL, as clients on this machine reach it. */
  readonly url: string;
  readonly port: number;
  /** Resolves when nothing listens and no request is being answered. */
  close(): Promise<void>;
}

/**
 * Serves the master.
 * @throws DiscoError `token-needed`, `port-in-use`, `port-forbidden`, `bad-host`
 */
export async function serveHttp(parts: HttpParts): Promise<HttpServer> {
  const { host } = parts.settings;
  const front = new Front(parts);
  await assertGuarded(host, front.guard.asksForTokens);
  const port = await listen(front.server, host, parts.settings.port);
  const url = urlOf(host, port);
  parts.log.info({ url }, "serving");
  return { url, port, close: () => front.close() };
}

class Front {
  readonly guard: Guard;
  readonly server;
  readonly #parts: HttpParts;
  readonly #limits: HttpLimits;
  readonly #disco: DiscoInterfaceParts;
  readonly #health: HealthParts;
  readonly #watch: BodyWatch;
  readonly #open = new Set<ServerResponse>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(parts: HttpParts) {
    const { master, settings, instance, unready } = parts;
    const { tokens, packBytesMax } = settings;
    const machine = hostname();
    const names = ["localhost", machine, machine.split(".")[0] ?? "", settings.node, settings.host];
    const closing = this.#closing.signal;
    // Each request that waits listens.
    setMaxListeners(0, closing);
    this.#parts = parts;
    this.#limits = { ...defaultLimits, ...parts.limits };
    this.#disco = { master, limits: this.#limits, packBytesMax, jobList: new JobListBody(master), closing };
    this.#health = { master, instance, version: packageVersion(), unready, closing };
    this.#watch = new BodyWatch(this.#limits);
    this.guard = new Guard({ tokens, names: [...names, ...settings.allowedHosts] });
    this.server = createServer(serverOptions(this.#limits));
    this.server.maxConnections = this.#limits.connectionsMax;
    // One more than allowed is kept, so that too many are noticed.
    this.server.maxHeadersCount = this.#limits.headersMax + 1;
    this.server.on("request", (request, response) => void this.#take(request, response, false));
    this.server.on("checkContinue", (request, response) => void this.#take(request, response, true));
    this.server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      parts.log.debug(
        { code: error.code, address: "remoteAddress" in socket ? socket.remoteAddress : "" },
        "bad request",
      );
      answerParserError(error, socket, this.#open);
    });
    this.server.on("drop", () =>
      parts.log.warn({ connectionsMax: this.#limits.connectionsMax }, "too many connections"),
    );
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const response of this.#open) if (!response.headersSent) response.setHeader("connection", "close");
    this.#closing.abort();
    this.server.closeIdleConnections();
    // Those that end by themselves now have done so; other streams would never.
    setImmediate(() => {
      for (const response of this.#open) if (isEventStream(response)) response.destroy();
    });
    const timer = setTimeout(() => this.server.closeAllConnections(), this.#limits.closeGraceMs);
    await ended;
    clearTimeout(timer);
    this.#watch.close();
  }

  async #take(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): Promise<void> {
    const begunAt = performance.now();
    prepare(response);
    this.#open.add(response);
    const path = (request.url ?? "").split("?")[0] ?? "";
    response.once("close", () => {
      this.#open.delete(response);
      const { method } = request;
      const ms = Math.round(performance.now() - begunAt);
      this.#parts.log.debug(
        { method, path, status: response.statusCode, ms, address: request.socket.remoteAddress },
        "request",
      );
    });
    // What goes wrong on the way to a client that has gone is nobody's concern.
    response.on("error", () => undefined);
    request.on("error", () => undefined);
    try {
      const passed = this.#pass(request);
      if (isRefusal(passed)) {
        sendRefusal(request, response, path, passed);
        return;
      }
      if (hasBody(request)) this.#watch.add(request, response, path);
      if (awaitsContinue) response.writeContinue();
      await this.#route(request, response, passed);
    } catch (error) {
      this.#fail(request, response, path, error);
    }
  }

  /** Limits and guard (V1). */
  #pass(request: IncomingMessage): { target: Target; caller: Caller } | Refusal {
    const target = parseTarget(request.url ?? "");
    const bodyBytesMax =
      !isRefusal(target) && isPackPath(request, target) ? this.#disco.packBytesMax : this.#limits.jsonBytesMax;
    const refusal = headRefusal(request, bodyBytesMax, this.#limits);
    if (refusal !== null) return refusal;
    if (isRefusal(target)) return target;
    const foreign = this.guard.originRefusal(request);
    if (foreign !== null) return foreign;
    const closing = this.#closing.signal;
    if (isProbe(target)) return { target, caller: { scope: "read", closing } };
    if (closing.aborted) return stopping;
    const scope = this.guard.scopeOf(request, target);
    if (typeof scope === "string") return { target, caller: { scope, closing } };
    const { method, socket } = request;
    this.#parts.log.warn({ code: scope.code, method, path: target.path, address: socket.remoteAddress }, "refused");
    return scope;
  }

  async #route(
    request: IncomingMessage,
    response: ServerResponse,
    { target, caller }: { target: Target; caller: Caller },
  ): Promise<void> {
    const { api, data } = this.#parts;
    const { method = "" } = request;
    if (isProbe(target)) {
      if (method !== "GET" && method !== "HEAD") throw new Refused(getOnly);
      await (target.path === "/healthz" ? sendHealth(response, this.#health) : sendReadiness(response, this.#health));
      return;
    }
    const inner = unwrapped(target)?.target ?? target;
    // As Disco has it; its clients open one connection a request.
    if (inner.segments[0] === "disco") response.setHeader("connection", "close");
    if (isData(inner) && data !== undefined) await data(request, response, caller);
    else if (isApi(target))
      await (api === undefined ? send(response, text("Not found.", 404)) : api(request, response, caller));
    else await handleDisco({ request, response, target: inner }, this.#disco);
  }

  #fail(request: IncomingMessage, response: ServerResponse, path: string, error: unknown): void {
    const { log } = this.#parts;
    if (response.destroyed || response.headersSent) {
      if (!response.destroyed) log.error({ err: error, path }, "an answer broke off");
      response.destroy();
    } else if (error instanceof Refused) {
      sendRefusal(request, response, path, error.refusal);
    } else if (request.destroyed && !request.complete) {
      response.destroy();
    } else {
      log.error({ err: error, path }, "a request failed");
      sendRefusal(request, response, path, { status: 500, code: "internal-error", message: "Internal server error" });
    }
  }
}

const stopping: Refusal = {
  status: 503,
  code: "stopping",
  message: "the daemon is stopping",
  headers: { connection: "close", "retry-after": "1" },
};

const getOnly: Refusal = {
  status: 405,
  code: "wrong-method",
  message: "only GET and HEAD are taken here",
  headers: { allow: "GET, HEAD" },
};

function isProbe({ path }: Target): boolean {
  return path === "/healthz" || path === "/readyz";
}

function isApi({ segments }: Target): boolean {
  return segments[0] === "api" && segments[1] === "v1";
}

/** `/disco/NODE/hh/JOB/…` */
function isData({ segments }: Target): boolean {
  return segments[0] === "disco" && segments.length > 3 && /^[0-9a-f]{2}$/.test(segments[2] ?? "");
}

function isPackPath({ method }: IncomingMessage, { segments }: Target): boolean {
  const [first, second, third] = segments;
  if (method !== "POST") return false;
  return first === "disco" ? second === "job" : first === "api" && third === "jobs" && segments.length === 3;
}

function isEventStream(response: ServerResponse): boolean {
  return String(response.getHeader("content-type")).startsWith("text/event-stream");
}
