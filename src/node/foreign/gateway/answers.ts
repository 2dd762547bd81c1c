/** Answers of the gateway's own. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { hasBody } from "../../../http/refusal.ts";
import { parseRange } from "../../data-server/range.ts";

export function say(response: ServerResponse, status: number, text: string): void {
  if (response.destroyed || response.headersSent) return;
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "content-length": body.length }).end(body);
}

export const busyText = "Workers of this node ask for too much at once: ask again.";

/** Says why not, and takes no more of what is still coming. */
export function refuse(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  if (!request.complete && hasBody(request)) {
    response.shouldKeepAlive = false;
    request.resume();
  }
  say(response, status, text);
}

/** Sends what was asked for of a whole that is in memory. */
export function sendPart(request: IncomingMessage, response: ServerResponse, whole: Buffer, contentType: string): void {
  const range = parseRange(request.method === "GET" ? request.headers.range : undefined, whole.length);
  const headers: Record<string, string | number> = { "accept-ranges": "bytes", "content-type": contentType };
  if (range.kind === "outside") {
    response.writeHead(416, { "content-range": `bytes */${whole.length}`, "content-length": 0 }).end();
    return;
  }
  const { from, to } = range.kind === "part" ? range : { from: 0, to: whole.length };
  if (range.kind === "part") headers["content-range"] = `bytes ${from}-${to - 1}/${whole.length}`;
  response.writeHead(range.kind === "part" ? 206 : 200, { ...headers, "content-length": to - from });
  response.end(request.method === "HEAD" ? undefined : whole.subarray(from, to));
}

/** All of a body, `null` when it has more than `bytesMax`; `"busy"` when `mayKeep` says no. */
export async function bodyOf<Busy extends "busy" = never>(
  message: IncomingMessage,
  bytesMax: number,
  mayKeep?: (bytes: number) => boolean,
): Promise<Buffer | null | Busy> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Left as it is: destroyed, it would take the connection along, and the answer with it.
  for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) return null;
    if (mayKeep?.(chunk.length) === false) return "busy" as Busy;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** Aborted when whoever asked has gone. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  return gone.signal;
}
