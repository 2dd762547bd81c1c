/**
 * DDFS over HTTP: tags, places for new blobs, control. Blobs themselves are the data server's (`node/data-server`).
 *
 * The same below `/ddfs/`, where shapes, status codes and words are Disco's, and below `/api/v1/ddfs/`, where errors are objects with a
 * code and what changes something is asked by POST: the library's own client uses the second.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Ddfs } from "../../../ddfs/ddfs.ts";
import { DiscoError } from "../../../errors.ts";
import { hasBody, sendRefusal } from "../../../http/refusal.ts";
import { WrongTokens } from "../../../http/wrong-tokens.ts";
import type { ServedMaster } from "../../served-master.ts";
import type { Caller } from "../handler.ts";
import { send, sendJson } from "../send.ts";
import type { Target } from "../target.ts";
import { Bodies } from "./bodies.ts";
import { apiControls, discoControls, hostedTags } from "./control.ts";
import { ddfsRefusal, ddfsReply } from "./refusals.ts";
import { shownToken } from "./shown-token.ts";
import { tagMethods } from "./tags.ts";

export interface DdfsExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Its segments begin with `ddfs`, whatever was before. */
  readonly target: Target;
  readonly caller: Caller;
  /** Below `/api/v1`. */
  readonly isApi: boolean;
}

const replicasPattern = /^\d{1,9}$/;

export class DdfsInterface {
  readonly #master: Pick<ServedMaster, "openDdfs">;
  readonly #bodies = new Bodies();
  readonly #wrong: WrongTokens;

  /** `now`: milliseconds of a clock that never goes back, for tests. */
  constructor(master: Pick<ServedMaster, "openDdfs">, now?: () => number) {
    this.#master = master;
    this.#wrong = new WrongTokens(now);
  }

  /** Throws what nobody expected. */
  async answer(exchange: DdfsExchange): Promise<void> {
    const { request, response, isApi } = exchange;
    try {
      // Nothing is opened for a path that leads nowhere.
      if (exchange.target.segments.length < 2) throw notFound(exchange.target);
      await this.#answer(exchange, await this.#master.openDdfs());
    } catch (error) {
      if (response.headersSent || response.destroyed) throw error;
      if (error instanceof DiscoError && !request.complete && hasBody(request)) {
        sendRefusal(request, response, request.url ?? "", ddfsRefusal(error, isApi));
        return;
      }
      const reply = ddfsReply(error, isApi);
      if (reply === null) throw error;
      send(response, reply);
    }
  }

  async #answer(exchange: DdfsExchange, ddfs: Ddfs): Promise<void> {
    const { request, response, target, isApi } = exchange;
    const method = request.method ?? "";
    const [, what = "", name = "", ...rest] = target.segments;
    switch (what) {
      case "tag":
        return await this.#tag(exchange, ddfs, name, rest.join("/"));
      case "tags":
        assertMethod(method, "GET");
        return sendJson(response, 200, await ddfs.tags(name));
      case "new_blob":
        assertMethod(method, "GET");
        return await newBlob(exchange, ddfs, name);
      case "ctrl":
        if (isApi) break;
        if (name === "hosted_tags") {
          assertMethod(method, "POST");
          return await this.#hostedTags(exchange, ddfs);
        }
        if (!Object.hasOwn(discoControls, name)) break;
        assertMethod(method, "GET");
        return sendJson(response, 200, await discoControls[name]?.(ddfs, target.query));
      case "fsck":
        if (!isApi) break;
        assertMethod(method, "GET");
        return await findings(response, ddfs);
      default: {
        const control = isApi && (method === "GET" || method === "POST") ? apiControls[method] : {};
        if (!Object.hasOwn(control, what)) break;
        return sendJson(response, 200, await control[what]?.(ddfs, target.query));
      }
    }
    throw notFound(target);
  }

  async #tag(exchange: DdfsExchange, ddfs: Ddfs, tag: string, attribute: string): Promise<void> {
    const { request, response, caller, isApi } = exchange;
    const handle = tagMethods[request.method ?? ""];
    if (handle === undefined) throw wrongMethod("GET, HEAD, POST, PUT and DELETE");
    const token = shownToken(request, caller);
    const address = request.socket.remoteAddress ?? "";
    const locked = token.token === undefined ? null : this.#wrong.refusal(address);
    if (locked !== null) return sendRefusal(request, response, isApi ? "/api/" : "", locked);
    try {
      await handle({ ...exchange, ddfs, bodies: this.#bodies, token, tag, attribute });
    } catch (error) {
      const isWrong = error instanceof DiscoError && error.code === "tag-unauthorized";
      if (isWrong && token.token !== undefined) this.#wrong.add(address, token.token);
      throw error;
    }
  }

  async #hostedTags({ request, response }: DdfsExchange, ddfs: Ddfs): Promise<void> {
    const host = await this.#bodies.value(request);
    try {
      sendJson(response, 200, await hostedTags(ddfs, host));
    } catch (error) {
      if (!(error instanceof DiscoError) || error.code !== "unknown-node") throw error;
      const body = Buffer.from("Unknown host.");
      send(response, { status: 404, contentType: "text/plain; charset=utf-8", body });
    }
  }
}

function notFound({ path }: Target): DiscoError {
  return new DiscoError(`there is no ${path}`, { code: "not-found" });
}

/** Disco's form is a list of addresses; the API's one of targets. */
async function newBlob({ request, response, target, isApi }: DdfsExchange, ddfs: Ddfs, name: string): Promise<void> {
  const { query } = target;
  const replicas = query.get("replicas") ?? "";
  if (replicas !== "" && !replicasPattern.test(replicas))
    throw new DiscoError(`replicas is a whole number, not ${replicas.slice(0, 50)}`, { code: "bad-replicas" });
  const targets = await ddfs.newBlob(name, {
    ...(replicas === "" ? {} : { replicas: Number(replicas) }),
    include: hostsIn(query, "include"),
    exclude: hostsIn(query, "exclude"),
    master: masterIn(request),
  });
  sendJson(response, 200, isApi ? targets : targets.map(({ url }) => url));
}

/** A line of JSON each, as they are found. */
async function findings(response: ServerResponse, ddfs: Ddfs): Promise<void> {
  const found = ddfs.fsck()[Symbol.asyncIterator]();
  // What keeps it from beginning is an answer of its own.
  let next = await found.next();
  response.setHeader("content-type", "application/x-ndjson");
  try {
    while (next.done !== true && !response.destroyed) {
      const isFull = !response.write(`${JSON.stringify(next.value)}\n`);
      if (isFull) await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
      next = await found.next();
    }
  } finally {
    await found.return?.();
  }
  response.end();
}

/** As the client calls it, from wherever it is: the guard has seen that the name is one of ours. */
function masterIn({ headers: { host } }: IncomingMessage): string | undefined {
  return host === undefined || host === "" ? undefined : `http://${host}`;
}

function hostsIn(query: URLSearchParams, name: string): string[] {
  return (query.get(name) ?? "").split(",").filter((host) => host !== "");
}

function assertMethod(method: string, wanted: "GET" | "POST"): void {
  if (method === wanted || (wanted === "GET" && method === "HEAD")) return;
  throw wrongMethod(wanted);
}

function wrongMethod(wanted: string): DiscoError {
  return new DiscoError(`this takes ${wanted}`, { code: "method-not-allowed" });
}
