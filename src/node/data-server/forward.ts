/** Passes a request on to another node's data server and its answer back, as a stream, headers chosen one by one. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Peers } from "../fetch/peers.ts";

/** Credentials are between the client and us, or between us and the node; what concerns a connection is not passed on either. */
const requestHeaders = ["range", "if-range", "if-none-match", "want-repr-digest", "user-agent"] as const;
const uploadHeaders = ["content-length", "content-digest", "repr-digest", "user-agent"] as const;
/** A node answers an upload when the blob is on its disk, which may be slow. */
const uploadIdleMs = 120_000;
const responseHeaders = [
  "accept-ranges",
  "cache-control",
  "content-length",
  "content-range",
  "content-type",
  "etag",
  "last-modified",
  "repr-digest",
  "retry-after",
] as const;

/** Resolves when the answer has been sent, or cannot be. */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  address: string,
  peers: Pick<Peers, "ask">,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  let reply: IncomingMessage;
  try {
    const { signal } = gone;
    if (request.method === "PUT") {
      // The request is left as it is: destroyed, it would take the connection along, and the answer with it.
      const body = Readable.from(request.iterator({ destroyOnReturn: false }), { objectMode: false });
      const upload = { method: "PUT", body, idleMs: uploadIdleMs } as const;
      reply = await peers.ask(address, { ...upload, headers: pick(request, uploadHeaders), signal });
      // What is left of a body that was refused is not waited for.
      if (!request.complete) response.shouldKeepAlive = false;
    } else {
      reply = await askAs(request, address, peers, signal);
    }
  } catch {
    if (response.destroyed) return;
    const text = "The node cannot be reached.\n";
    response.writeHead(502, { "content-type": "text/plain; charset=utf-8", "content-length": text.length }).end(text);
    return;
  }
  await relay(reply, response);
}

/** Asks for what is read, as `request` does, or by another method. @throws CommError `peer-unreachable` */
export function askAs(
  request: IncomingMessage,
  address: string,
  peers: Pick<Peers, "ask">,
  signal: AbortSignal,
  method: "GET" | "HEAD" = request.method === "HEAD" ? "HEAD" : "GET",
): Promise<IncomingMessage> {
  return peers.ask(address, { method, headers: pick(request, requestHeaders), signal });
}

/** Sends an answer on. Resolves when it has been sent, or cannot be. */
export async function relay(reply: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(reply.statusCode ?? 502, {
    ...pick(reply, responseHeaders),
    "x-content-type-options": "nosniff",
  });
  // A body that breaks off here breaks off there: pipeline destroys the response.
  await pipeline(reply, response).catch(() => response.destroy());
}

function pick(message: IncomingMessage, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = message.headers[name];
    if (typeof value === "string") picked[name] = value;
  }
  return picked;
}
