/**
 * The master's HTTP interface as pure handlers: a request value in, a reply value out. A server over sockets and
 * `MasterApi.request` in the same process use the same table (`routes.ts`).
 */
import type { MasterApi } from "../../client/master-api.ts";

export interface HttpRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
  /** First byte wanted (`Range: bytes=N-`). */
  readonly offset: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly handle: (request: HttpRequest, master: MasterApi) => Promise<HttpReply>;
}

export function json(value: unknown, status = 200): HttpReply {
  return { status, contentType: "application/json", body: Buffer.from(JSON.stringify(value), "utf8") };
}

export function text(value: string, status = 200): HttpReply {
  return { status, contentType: "text/plain; charset=utf-8", body: Buffer.from(value, "utf8") };
}

export function bytes(body: Uint8Array, status = 200): HttpReply {
  return { status, contentType: "application/octet-stream", body };
}

/** A request that is wrong: the reply that says so. Thrown by handlers, caught by the router. */
export class BadRequest {
  readonly reply: HttpReply;

  constructor(reason: string, status = 400) {
    this.reply = json(reason, status);
  }
}
