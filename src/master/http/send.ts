/** Answers that are values, and what every answer says to browsers. */
import type { ServerResponse } from "node:http";
import type { HttpLimits } from "../../http/limits.ts";
import type { HttpReply } from "./route.ts";

/** Nothing here is a page but those of `pages.ts`, and nothing that is served is to be guessed at, kept, framed or embedded by another. */
const safetyHeaders: readonly (readonly [string, string])[] = [
  ["x-content-type-options", "nosniff"],
  ["cache-control", "no-store"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["cross-origin-resource-policy", "same-origin"],
  ["referrer-policy", "no-referrer"],
];

/** Sets headers that a handler may override. */
export function prepare(response: ServerResponse): void {
  for (const [name, value] of safetyHeaders) response.setHeader(name, value);
}

/** Of an answer that is sent from here on: a client that takes nothing of it for so long is gone. */
export function endStalled(response: ServerResponse, { stallMs }: Pick<HttpLimits, "stallMs">): void {
  response.setTimeout(stallMs, () => response.destroy());
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value), "utf8");
  send(response, { status, contentType: "application/json", body });
}

export function send(response: ServerResponse, { status, contentType, body, headers }: HttpReply): void {
  // Who asked may have gone, or been cut off, meanwhile.
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader("content-type", contentType);
  response.setHeader("content-length", body.byteLength);
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  response.end(response.req.method === "HEAD" ? undefined : body);
}
