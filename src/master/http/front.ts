/**
 * Each request passes, in this order,
 *
 *   limits ─▶ guard (Host, Origin, token, scope) ─▶ /healthz, /readyz, /metrics ─▶ bus ─▶ web page ─▶ data server ─▶ /api/v1 ─▶ Disco's interface ─▶ 404
 *
 * At a master that follows, what is the leader's goes there instead of to the last two (`following.ts`).
 *
 * V1. Nothing is done for a request before limits and guard have passed it; they read its head only.
 * V2. Whatever a handler throws is an answer, never the end of the process, and tells nothing of our insides.
 */
import { setMaxListeners } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { hostname } from "node:os";
import type { BodyWatch } from "../../http/body-watch.ts";
import { type HttpLimits, headRefusal } from "../../http/limits.ts";
import { hasBody, type Refusal, Refused, sendRefusal } from "../../http/refusal.ts";
import { packageVersion } from "../../package-version.ts";
import { DdfsInterface } from "./ddfs/ddfs-interface.ts";
import { type DiscoInterfaceParts, handleDisco } from "./disco-interface.ts";
import { Following, stopping } from "./following.ts";
import { Guard } from "./guard.ts";
import type { Caller } from "./handler.ts";
import { type HealthParts, sendHealth, sendReadiness } from "./health.ts";
import { JobListBody } from "./job-list.ts";
import type { LimitedLog } from "./limited-log.ts";
import type { Metrics } from "./metrics.ts";
import { Pages, pagePaths } from "./pages.ts";
import { bodyBytesMaxOf, endsConnection, isProbe, type Place, placeOf } from "./place.ts";
import { text } from "./route.ts";
import { routePattern } from "./route-pattern.ts";
import { paths, wrongMethod } from "./routes.ts";
import { endStalled, prepare, send } from "./send.ts";
import type { HttpParts } from "./server.ts";
import { isRefusal, parseTarget, type Target } from "./target.ts";

export interface FrontParts extends HttpParts {
  readonly limits: HttpLimits;
  readonly metrics: Metrics;
  readonly watch: BodyWatch;
  /** For lines that anybody can cause. */
  readonly strangers: LimitedLog;
}

interface Passed {
  readonly target: Target;
  readonly place: Place;
  readonly caller: Caller;
}

export class Front {
  /** Answers that have begun or will. */
  readonly open = new Set<ServerResponse>();
  readonly #parts: FrontParts;
  readonly #guard: Guard;
  readonly #disco: DiscoInterfaceParts;
  readonly #ddfs: DdfsInterface;
  readonly #health: HealthParts;
  readonly #pages = new Pages();
  readonly #following: Following | null;
  readonly #closing = new AbortController();

  constructor(parts: FrontParts) {
    const { master, settings, instance, unready, limits } = parts;
    const machine = hostname();
    const names = ["localhost", machine, machine.split(".")[0] ?? "", settings.node, settings.host];
    const closing = this.#closing.signal;
    // Each request that waits listens.
    setMaxListeners(0, closing);
    this.#parts = parts;
    this.#guard = new Guard({ ...settings, names });
    this.#disco = { master, limits, packBytesMax: settings.packBytesMax, jobList: new JobListBody(master), closing };
    const { leading, leaderTls: tls } = parts;
    this.#following = leading === undefined ? null : new Following({ leading, instance, master, tls, closing });
    this.#ddfs = new DdfsInterface(master);
    this.#health = { master, instance, version: packageVersion(), unready, closing };
  }

  /** No new requests but probes; those that wait end. */
  close(): void {
    for (const response of this.open) if (!response.headersSent) response.setHeader("connection", "close");
    this.#closing.abort();
  }

  async take(
    request: IncomingMessage,
    response: ServerResponse,
    { awaitsContinue = false }: { awaitsContinue?: boolean } = {},
  ): Promise<void> {
    const begunAt = performance.now();
    const { url = "" } = request;
    const target = parseTarget(url);
    const path = url.split("?")[0] ?? "";
    prepare(response);
    if (endsConnection(path)) response.setHeader("connection", "close");
    this.open.add(response);
    response.once("close", () => this.#over(request, response, { path, target, begunAt }));
    response.once("prefinish", () => endStalled(response, this.#parts.limits));
    // What goes wrong on the way to a client that has gone is nobody's concern.
    response.on("error", () => undefined);
    request.on("error", () => undefined);
    try {
      const passed = this.#pass(request, target);
      if (isRefusal(passed)) {
        this.#parts.metrics.refused(passed.code);
        sendRefusal(request, response, path, passed);
        return;
      }
      if (hasBody(request)) this.#parts.watch.add(request, response, path);
      if (awaitsContinue) response.writeContinue();
      await this.#answer(request, response, passed);
    } catch (error) {
      this.#fail(request, response, path, error);
    }
  }

  /** Limits and guard (V1). */
  #pass(request: IncomingMessage, target: Target | Refusal): Passed | Refusal {
    const { settings, limits } = this.#parts;
    const { method, socket } = request;
    const sizes = { pack: settings.packBytesMax, other: limits.jsonBytesMax };
    const bytesMax = isRefusal(target) ? sizes.other : bodyBytesMaxOf(method, target, sizes);
    const refusal = headRefusal(request, bytesMax, limits);
    if (refusal !== null) return refusal;
    if (isRefusal(target)) return target;
    const foreign = this.#guard.originRefusal(request);
    if (foreign !== null) return foreign;
    const closing = this.#closing.signal;
    const place = placeOf(target);
    if (isProbe(place)) return { target, place, caller: { scope: "read", closing } };
    if (closing.aborted) return stopping;
    // The same for everybody, without data: a browser cannot send a token for a page.
    if (place.kind === "page") return { target, place, caller: { scope: "read", closing } };
    const scope = this.#guard.scopeOf(request, target);
    const isGuarded = this.#guard.isGuarded(request);
    if (typeof scope === "string") return { target, place, caller: { scope, closing, isGuarded } };
    this.#parts.strangers.warn(
      { code: scope.code, method, path: target.path, address: socket.remoteAddress },
      "refused",
    );
    return scope;
  }

  async #answer(request: IncomingMessage, response: ServerResponse, { target, place, caller }: Passed): Promise<void> {
    const { api, bus, data, metrics } = this.#parts;
    const method = request.method ?? "";
    if (place.kind === "bus") {
      // It says itself who leads.
      if (bus === undefined) send(response, text("Not found.", 404));
      else await bus(request, response, caller);
      return;
    }
    if ((await this.#following?.take(request, response, place, target)) === true) return;
    switch (place.kind) {
      case "health":
      case "readiness":
        if (method !== "GET" && method !== "HEAD") send(response, wrongMethod(target.path, ["GET", "HEAD"]));
        else if (place.kind === "health") sendHealth(response, this.#health);
        else await sendReadiness(response, this.#health);
        return;
      case "metrics":
        if (method === "GET") send(response, { status: 200, ...(await metrics.text()) });
        else send(response, wrongMethod(target.path, ["GET"]));
        return;
      case "page":
        this.#pages.answer(request, response, target.path);
        return;
      case "data":
        if (data === undefined) send(response, text("Not found.", 404));
        else await data(request, response, caller);
        return;
      case "api":
        if (api === undefined) send(response, text("Not found.", 404));
        else await api(request, response, caller);
        return;
      case "ddfs": {
        const { target: inner, isApi } = place;
        await this.#ddfs.answer({ request, response, target: inner, caller, isApi });
        return;
      }
      case "disco":
        await handleDisco({ request, response, target: place.target }, this.#disco);
    }
  }

  #fail(request: IncomingMessage, response: ServerResponse, path: string, error: unknown): void {
    const { log } = this.#parts;
    if (response.destroyed || response.headersSent) {
      // A refusal that nobody hears any more is no fault of ours.
      if (!(error instanceof Refused) && !isHangUp(error)) log.error({ err: error, path }, "an answer broke off");
      response.destroy();
    } else if (error instanceof Refused) {
      sendRefusal(request, response, path, error.refusal);
    } else if (request.destroyed && !request.complete) {
      response.destroy();
    } else {
      log.error({ err: error, path }, "a request failed");
      sendRefusal(request, response, path, failed);
    }
  }

  #over(
    request: IncomingMessage,
    response: ServerResponse,
    { path, target, begunAt }: { path: string; target: Target | Refusal; begunAt: number },
  ): void {
    this.open.delete(response);
    const { method = "" } = request;
    const { statusCode: status } = response;
    const ms = performance.now() - begunAt;
    const route = isRefusal(target) ? "other" : routePattern(target.segments, ownPaths);
    this.#parts.metrics.count({ route, method, status, seconds: ms / 1000 });
    const address = request.socket.remoteAddress;
    this.#parts.log.debug({ method, path, status, ms: Math.round(ms), address }, "request");
  }
}

/** The client has gone, which is its right. */
function isHangUp(error: unknown): boolean {
  return error instanceof Error && hangUps.has((error as NodeJS.ErrnoException).code ?? "");
}

const hangUps: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_UNABLE_TO_PIPE",
]);

const ownPaths: ReadonlySet<string> = new Set([...paths, ...pagePaths, "/healthz", "/readyz", "/metrics"]);

const failed: Refusal = { status: 500, code: "internal-error", message: "Internal server error" };
