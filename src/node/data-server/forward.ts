/** Passes a request on to another node's data server and its answer back, as a stream, headers chosen one by one. */
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import { pipeline } from "node:stream/promises";

const idleMsMax = 30_000;
/** Credentials are between the client and us; what concerns a connection is not passed on either. */
const requestHeaders = ["range", "if-range", "if-none-match", "want-repr-digest", "user-agent"] as const;
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
export async function forward(request: IncomingMessage, response: ServerResponse, address: string): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  let reply: IncomingMessage;
  try {
    reply = await ask(address, request.method ?? "GET", pick(request, requestHeaders), gone.signal);
  } catch {
    if (response.destroyed) return;
    const text = "The node cannot be reached.\n";
    response.writeHead(502, { "content-type": "text/plain; charset=utf-8", "content-length": text.length }).end(text);
    return;
  }
  response.writeHead(reply.statusCode ?? 502, {
    ...pick(reply, responseHeaders),
    "x-content-type-options": "nosniff",
  });
  // A body that breaks off here breaks off there: pipeline destroys the response.
  await pipeline(reply, response).catch(() => response.destroy());
}

function ask(
  address: string,
  method: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const client = address.startsWith("https:") ? https : http;
    const sent = client.request(address, { method, headers, signal }, resolve);
    sent.setTimeout(idleMsMax, () => sent.destroy(new Error("no answer")));
    sent.on("error", reject);
    sent.end();
  });
}

function pick(message: IncomingMessage, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = message.headers[name];
    if (typeof value === "string") picked[name] = value;
  }
  return picked;
}
