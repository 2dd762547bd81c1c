/**
 * The bus of a master whose nodes come over HTTP: for clusters that have PostgreSQL and no NATS. Each node holds one answer open, which
 * never ends, and gets what is for it there; what it has to say it posts.
 *
 *   node ── GET /bus/HOST ──▶ master      200, frames … (421 with the leader's address where another master leads)
 *   node ── POST /bus/HOST (frames) ──▶   204 (409: there is no such stream any more)
 *
 * HH1. A stream belongs to one start of one node (host and session). The same one again replaces it; another session has a stream
 *      of its own, and the node's subjects are of the one that served them last: a node serves once a master has let it in.
 * HH2. A node asks `master.*.*.HOST` and publishes `heartbeat.HOST`, with its own name, and serves `node.HOST.…`. Nothing else.
 * HH3. What a node does not take is kept up to a bound, then its stream is cut; so is one whose node has said nothing for long.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { CommError } from "../errors.ts";
import type { Bus, BusHandler, BusListener } from "./bus.ts";
import { FrameReader } from "./frames.ts";
import { epochHeader, leaderHeader, postBytesMax, servesHeader, sessionHeader } from "./http-stream.ts";
import { HubStream } from "./hub-stream.ts";
import { MemoryBus } from "./memory.ts";
import { part } from "./subjects.ts";

export interface HttpHubParts {
  /** `null`: this master follows, and takes no nodes. */
  readonly leads: () => { readonly epoch: number } | null;
  /** Base URL of the master that leads, as nodes reach it, if it is known. */
  readonly leader: () => string | null;
}

const hostLengthMax = 255;
const sessionLengthMax = 200;
const streamsMax = 10_000;
const watchEveryMs = 1_000;

export class HttpHub implements Bus {
  /** Nodes come to it: it has no way of its own that could break. */
  readonly connected = true;
  readonly #parts: HttpHubParts;
  readonly #local = new MemoryBus();
  /** By host and session. */
  readonly #streams = new Map<string, HubStream>();
  readonly #watch: NodeJS.Timeout;
  #closed = false;

  constructor(parts: HttpHubParts) {
    this.#parts = parts;
    this.#watch = setInterval(() => this.#look(), watchEveryMs);
    this.#watch.unref();
  }

  request(subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (this.#closed) return this.#local.request(subject, bytes, timeoutMs);
    const stream = this.#serverOf(subject);
    return stream === undefined
      ? this.#local.request(subject, bytes, timeoutMs)
      : stream.peer.request(subject, bytes, timeoutMs);
  }

  publish(subject: string, bytes: Uint8Array): void {
    this.#local.publish(subject, bytes);
    const [kind, host] = subject.split(".");
    if (kind === "master" || kind === "heartbeat") return;
    for (const stream of this.#streams.values()) {
      if (kind !== "node" || stream.part === host) stream.peer.publish(subject, bytes);
    }
  }

  serve(subject: string, handler: BusHandler): () => void {
    return this.#local.serve(subject, handler);
  }

  subscribe(subject: string, listener: BusListener): () => void {
    return this.#local.subscribe(subject, listener);
  }

  /** Nodes look for another master then. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watch);
    const error = new CommError("the bus was closed", { code: "bus-closed" });
    for (const stream of this.#streams.values()) stream.cut(error);
    this.#streams.clear();
    await this.#local.close();
  }

  /** Cuts all streams: this master does not lead any more. Nodes find who does. */
  dismiss(): void {
    for (const stream of this.#streams.values()) stream.cut();
    this.#streams.clear();
  }

  /** Answers requests below `/bus/`. Who asks has shown the token of the cluster. */
  readonly handle = async (
    request: IncomingMessage,
    response: ServerResponse,
    { closing }: { closing?: AbortSignal } = {},
  ): Promise<void> => {
    const { method = "", headers } = request;
    const host = hostOf(request.url ?? "");
    const session = headers[sessionHeader];
    if (host === null || typeof session !== "string" || session === "" || session.length > sessionLengthMax) {
      answer(response, 400, "a node's name in the path and its session expected");
      return;
    }
    const leads = this.#closed ? null : this.#parts.leads();
    if (leads === null) {
      const leader = this.#parts.leader();
      if (leader !== null) response.setHeader(leaderHeader, leader);
      answer(response, 421, "another master leads");
      return;
    }
    response.setHeader(epochHeader, String(leads.epoch));
    const key = JSON.stringify([host, session]);
    if (method === "POST") await this.#post(request, response, key);
    else if (method === "HEAD") answer(response, 200, "");
    else if (method === "GET") this.#open(response, { key, host, serves: headers[servesHeader], closing });
    else answer(response, 405, "GET or POST expected");
  };

  #open(
    response: ServerResponse,
    of: { key: string; host: string; serves: string | string[] | undefined; closing: AbortSignal | undefined },
  ): void {
    const { key, host, serves, closing } = of;
    if (this.#streams.size >= streamsMax && !this.#streams.has(key)) {
      answer(response, 503, "too many nodes");
      return;
    }
    this.#streams.get(key)?.cut();
    // At its end: the one that served last comes last.
    this.#streams.delete(key);
    const stream = new HubStream({ host, response, local: this.#local });
    for (const subject of String(serves ?? "").split(",")) stream.serve(subject);
    this.#streams.set(key, stream);
    const close = (): void => stream.cut();
    closing?.addEventListener("abort", close, { once: true });
    response.once("close", () => {
      closing?.removeEventListener("abort", close);
      stream.cut();
      if (this.#streams.get(key) === stream) this.#streams.delete(key);
    });
    stream.begin();
  }

  async #post(request: IncomingMessage, response: ServerResponse, key: string): Promise<void> {
    const reader = new FrameReader();
    let bytes = 0;
    let refusal: { status: number; message: string } | null = null;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > postBytesMax) refusal ??= { status: 413, message: `at most ${postBytesMax} bytes expected` };
      const stream = this.#streams.get(key);
      // What is refused is read to its end, or the other side would see a reset instead of the reason.
      if (stream === undefined || refusal !== null) continue;
      try {
        for (const frame of reader.push(chunk)) {
          stream.take(frame);
          // The one that serves last is asked.
          if (frame.kind === "serve" && this.#streams.delete(key)) this.#streams.set(key, stream);
        }
      } catch (error) {
        stream.cut();
        refusal = { status: 400, message: error instanceof Error ? error.message : String(error) };
      }
    }
    if (refusal !== null) answer(response, refusal.status, refusal.message);
    else if (!this.#streams.has(key)) answer(response, 409, "there is no stream of this node and session");
    else answer(response, 204, "");
  }

  #serverOf(subject: string): HubStream | undefined {
    if (!subject.startsWith("node.")) return undefined;
    let found: HubStream | undefined;
    for (const stream of this.#streams.values()) if (stream.serves(subject)) found = stream;
    return found;
  }

  #look(): void {
    for (const stream of this.#streams.values()) stream.look();
  }
}

function hostOf(url: string): string | null {
  const [, name] = /^\/bus\/([^/?]+)(?:\?|$)/.exec(url) ?? [];
  try {
    const host = decodeURIComponent(name ?? "");
    return host === "" || host.length > hostLengthMax || part(host) === "" ? null : host;
  } catch {
    return null;
  }
}

function answer(response: ServerResponse, status: number, message: string): void {
  response.statusCode = status;
  if (message !== "") response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(message === "" ? undefined : message);
}
