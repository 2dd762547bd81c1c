/**
 * Requests that a master which follows takes to the one that leads, so that the address of any master serves any client.
 *
 * Both ways are streams: a pack of a gigabyte or the events of a job pass through with the pace of the slower side, and are kept nowhere.
 *
 * F1. A request is forwarded once: it carries a mark, and whoever gets it without being the leader refuses it.
 * F2. What identifies the client (`Authorization`) goes to the leader and nobody else; what its browser says of the page it comes
 *     from was checked here, and stays here.
 * F3. An answer of a leader that leads no longer is cut off: the client asks again, and is answered by the next one.
 */
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
  type ServerResponse,
} from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import type { SecureContextOptions } from "node:tls";
import { hasBody } from "../../http/refusal.ts";
import type { Leading } from "../leading.ts";

/** Header of a request that has been forwarded: which master it was that did. */
export const forwardedHeader = "disco-forwarded";
/** How often it is looked whether the leader is still the one that was asked. */
const lookMs = 250;
const connectMs = 2_000;

/** Of one connection, or about the page that a browser shows. */
const notPassedOn: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "host",
  "origin",
  "referer",
  "cookie",
]);

/** `unreached`: the leader cannot have heard of it, and the client has no answer yet. */
export type Forwarded = { readonly kind: "answered" } | { readonly kind: "unreached"; readonly cause: Error };

interface Passing {
  readonly url: string;
  readonly sent: ClientRequest;
}

export interface ForwardingParts {
  readonly leading: Leading;
  /** Of this start of this master. */
  readonly instance: string;
  /** Whom to believe where the leader speaks TLS; default: the authorities that Node knows. */
  readonly tls?: SecureContextOptions | undefined;
}

export class Forwarding {
  readonly #parts: ForwardingParts;
  readonly #plain = new PlainAgent({ keepAlive: true });
  readonly #secure: SecureAgent;
  readonly #passing = new Set<Passing>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ForwardingParts) {
    this.#parts = parts;
    this.#secure = new SecureAgent({ keepAlive: true, ...parts.tls });
  }

  /** Takes the request to the leader at `url`, and its answer to the client. Rejects when the leader breaks off. */
  async pass(request: IncomingMessage, response: ServerResponse, url: string): Promise<Forwarded> {
    for (;;) {
      try {
        return await this.#once(request, response, url);
      } catch (error) {
        // An idle connection that the leader had closed meanwhile: only requests without body are sent on such.
        if (!(error instanceof Stale) || response.headersSent || response.destroyed) throw error;
      }
    }
  }

  async #once(request: IncomingMessage, response: ServerResponse, url: string): Promise<Forwarded> {
    const sent = this.#begin(request, url);
    const passing = { url, sent };
    this.#passing.add(passing);
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref();
    const gone = (): void => void sent.destroy();
    response.once("close", gone);
    try {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage | Error>();
      let isConnected = false;
      const timer = setTimeout(() => sent.destroy(new Error(`no connection within ${connectMs} ms`)), connectMs);
      sent.once("socket", (socket) => {
        const connected = (): void => {
          isConnected = true;
          clearTimeout(timer);
          // Not before: what has been read of a body could be sent to nobody else.
          if (hasBody(request)) request.pipe(sent);
          else sent.end();
        };
        if (socket.connecting) socket.once(url.startsWith("https:") ? "secureConnect" : "connect", connected);
        else connected();
      });
      sent.once("response", resolve);
      sent.on("error", (error) => {
        clearTimeout(timer);
        if (!isConnected) resolve(error);
        else reject(sent.reusedSocket && !hasBody(request) ? new Stale(error) : error);
      });
      sent.once("close", () => {
        clearTimeout(timer);
        reject(new Error("the connection to the master that leads was closed"));
      });
      const answer = await promise;
      if (answer instanceof Error) return { kind: "unreached", cause: answer };
      await deliver(answer, request, response);
      return { kind: "answered" };
    } finally {
      response.removeListener("close", gone);
      this.#passing.delete(passing);
      if (this.#passing.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    }
  }

  /** Ends whatever is under way. */
  close(): void {
    clearInterval(this.#timer);
    for (const { sent } of this.#passing) sent.destroy();
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #begin(request: IncomingMessage, leader: string): ClientRequest {
    const url = new URL(leader);
    const isSecure = url.protocol === "https:";
    const options = {
      method: request.method,
      hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: url.port,
      path: url.pathname.replace(/\/$/, "") + (request.url ?? "/"),
      headers: { ...passedOn(request.headers), [forwardedHeader]: this.#parts.instance },
    };
    // A body that was half sent cannot be sent again: it gets a connection that is new.
    const isNew = hasBody(request);
    return isSecure
      ? secureRequest({ ...options, ...this.#parts.tls, agent: isNew ? false : this.#secure })
      : plainRequest({ ...options, agent: isNew ? false : this.#plain });
  }

  /** Ends what passes to a master that leads no longer (F3). That nobody is known to lead for a while says nothing. */
  #look(): void {
    const leader = this.#parts.leading.leader();
    if (leader === null) return;
    for (const { url, sent } of this.#passing) {
      if (url !== leader.url) sent.destroy(new Error("another master leads by now"));
    }
  }
}

class Stale extends Error {
  override name = "Stale";

  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/** Rejects when the answer breaks off: the connection to the client then ends, too, which tells it. */
function deliver(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  response.statusCode = answer.statusCode ?? 502;
  for (const [name, value] of Object.entries(passedOn(answer.headers))) response.setHeader(name, value);
  // Refused before the body was there: what still comes is read and thrown away, or the client would see a reset and no answer.
  if (!request.complete && hasBody(request)) {
    response.setHeader("connection", "close");
    request.unpipe();
    request.resume();
  }
  response.flushHeaders();
  answer.pipe(response);
  answer.once("error", (error) => {
    response.destroy();
    reject(error);
  });
  response.once("finish", resolve);
  response.once("close", resolve);
  return promise;
}

function passedOn(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = Object.entries(headers).filter(([name, value]) => value !== undefined && !notPassedOn.has(name));
  return Object.fromEntries(named) as Record<string, string | string[]>;
}
