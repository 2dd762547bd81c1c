/**
 * One HTTP exchange with the master, and nothing else: what to do when it fails is decided elsewhere (`retries.ts`).
 *
 * Two pools of connections, both bounded. Questions share a few. Answers that last (streams, long polls) have their own, or a
 * hundred followers would keep every question waiting. Idle connections are kept, and keep no process alive; nor do those
 * that last, because whoever waits for them does that himself (`keep-alive.ts`).
 */
import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { packageVersion } from "../../package-version.ts";
import { Interrupted } from "./interrupted.ts";
import { watchPresence } from "./presence.ts";

export interface Exchange {
  readonly method: string;
  /** Absolute, below the base of the address, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Neither a byte nor an answer for so long: nobody is there any more. */
  readonly idleMs: number;
  /** The answer may take its time: a stream or a long poll. */
  readonly lasts?: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Base URL of the master that answers. */
  readonly master: string;
  /** To be read to its end, or destroyed. */
  readonly body: IncomingMessage;
}

const questionsMax = 16;
const lastingMax = 128;
const connectMs = 10_000;
/** Where another one can be asked. */
const connectMsOfSeveral = 2_000;
/** A master that is there says so within this. */
const probeMs = 2_000;
/** A body above this is sent when the server has said that it wants it, or has said nothing for a while. */
const expectBytesMin = 1024 * 1024;
const expectMs = 1_000;

type Client = typeof import("node:http") | typeof import("node:https");

export class Connection {
  #master: string;
  #base: URL;
  readonly #connectMs: number;
  readonly #isOneOfSeveral: boolean;
  readonly #token: string | undefined;
  readonly #client: Client;
  readonly #isSecure: boolean;
  readonly #questions: Agent;
  readonly #lasting: Agent;
  readonly #userAgent = `disco-mapreduce/${packageVersion()}`;

  /** `isOneOfSeveral`: it is not waited long for. */
  constructor(url: string, token: string | undefined, { isOneOfSeveral = false } = {}) {
    this.#master = url;
    this.#base = new URL(url);
    this.#isOneOfSeveral = isOneOfSeveral;
    this.#connectMs = isOneOfSeveral ? connectMsOfSeveral : connectMs;
    this.#token = token;
    this.#isSecure = this.#base.protocol === "https:";
    // An import would list all that the module exports, and so load `fetch` with it: 30 ms for nothing.
    this.#client = process.getBuiltinModule(this.#isSecure ? "node:https" : "node:http");
    const shared = { keepAlive: true, scheduling: "lifo" as const };
    this.#questions = new this.#client.Agent({ ...shared, maxSockets: questionsMax });
    this.#lasting = new this.#client.Agent({ ...shared, maxSockets: lastingMax });
  }

  /** Resolves when the head of the answer is there. @throws Interrupted, or the signal's reason */
  send(exchange: Exchange): Promise<Reply> {
    const { signal } = exchange;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const master = this.#master;
    const connectsMs = this.#connectMs;
    const sent = this.#begin(exchange);
    let isConnected = false;
    const abort = (): void => {
      sent.destroy();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", abort);
    const over = (): void => signal?.removeEventListener("abort", abort);
    sent.once("response", (body) => {
      resolve({ status: body.statusCode ?? 0, headers: body.headers, master, body });
    });
    sent.once("close", over);
    if (this.#isOneOfSeveral) {
      const base = this.#base;
      const silent = (): void => void sent.destroy(new Error(`${base.host} does not answer any more`));
      sent.once(
        "close",
        watchPresence(() => this.#isThere(base), silent),
      );
    }
    sent.once("socket", (socket) => {
      if (exchange.lasts === true) socket.unref();
      isConnected = !socket.connecting;
      if (isConnected) return;
      const timer = setTimeout(() => sent.destroy(timedOut("no connection", connectsMs)), connectsMs);
      const connected = (): void => {
        isConnected = true;
        clearTimeout(timer);
      };
      socket.once(this.#isSecure ? "secureConnect" : "connect", connected);
      sent.once("close", () => clearTimeout(timer));
    });
    sent.setTimeout(exchange.idleMs, () => sent.destroy(timedOut("no answer", exchange.idleMs)));
    // Also after the answer has begun: then the body's stream ends with the error.
    sent.on("error", (error) => {
      over();
      reject(new Interrupted(error, { isSent: isConnected, master }));
    });
    return promise;
  }

  /** Over a connection of its own: an old one may be to nowhere. */
  #isThere(base: URL): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const headers = { connection: "close", "user-agent": this.#userAgent };
    const probe = this.#client.get(new URL("/healthz", base), { agent: false, headers, timeout: probeMs }, (reply) => {
      reply.resume();
      resolve(true);
    });
    const timer = setTimeout(() => probe.destroy(), probeMs);
    timer.unref();
    probe.on("socket", (socket) => socket.unref());
    probe.on("error", () => resolve(false));
    probe.on("close", () => {
      clearTimeout(timer);
      resolve(false);
    });
    return promise;
  }

  /** From now on the server is elsewhere. What is under way ends where it began. */
  move(url: string): void {
    this.#master = url;
    this.#base = new URL(url);
  }

  /** Ends all connections, and with them whatever is under way. */
  close(): void {
    this.#questions.destroy();
    this.#lasting.destroy();
  }

  #begin({ method, path, headers, body, lasts }: Exchange): ClientRequest {
    const { hostname, port, pathname } = this.#base;
    const expects = body !== undefined && body.byteLength >= expectBytesMin;
    const sent = this.#client.request({
      method,
      // Without the brackets of an IPv6 address.
      hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
      port,
      path: pathname.replace(/\/$/, "") + path,
      agent: lasts === true ? this.#lasting : this.#questions,
      headers: {
        "user-agent": this.#userAgent,
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body === undefined ? {} : { "content-length": body.byteLength }),
        ...(expects ? { expect: "100-continue" } : {}),
        ...headers,
      },
    });
    if (body === undefined) sent.end();
    else if (expects) sendWhenWanted(sent, body);
    else sent.end(body);
    return sent;
  }
}

/** A refusal (a wrong token, too large) comes before a gigabyte was sent for it. */
function sendWhenWanted(sent: ClientRequest, body: Uint8Array): void {
  let timer: NodeJS.Timeout | undefined;
  const send = (): void => {
    clearTimeout(timer);
    sent.removeListener("continue", send);
    if (!sent.writableEnded) sent.end(body);
  };
  sent.once("continue", send);
  sent.once("socket", (socket) => {
    const wait = (): void => {
      timer = setTimeout(send, expectMs);
    };
    if (socket.connecting) socket.once("connect", wait);
    else wait();
  });
  sent.once("response", (reply) => {
    clearTimeout(timer);
    sent.removeListener("continue", send);
    // What was refused is not sent any more, and a connection that waits for it is of no use.
    if (!sent.writableEnded) reply.once("close", () => sent.destroy());
  });
  sent.once("close", () => clearTimeout(timer));
  sent.flushHeaders();
}

function timedOut(what: string, ms: number): Error {
  return Object.assign(new Error(`${what} for ${ms / 1000} s`), { code: "ETIMEDOUT" });
}
