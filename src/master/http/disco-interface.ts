/**
 * Disco's own interface (`/disco/…`) over sockets: what is long is streamed, the rest is `routes.ts`, which the embedded engine
 * uses as well.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServedMaster } from "../served-master.ts";
import { readBody } from "./body.ts";
import type { HttpLimits } from "./limits.ts";
import { hasBody } from "./refusal.ts";
import { text } from "./route.ts";
import { answer, wrongMethod } from "./routes.ts";
import { send } from "./send.ts";
import type { Target } from "./target.ts";
import { submitUpload } from "./upload.ts";

export interface DiscoInterfaceParts {
  readonly master: ServedMaster;
  readonly limits: HttpLimits;
  readonly packBytesMax: number;
  readonly closing: AbortSignal;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
}

type Stream = (exchange: Exchange, parts: DiscoInterfaceParts) => Promise<void>;

/** By path; what lies below `/disco/job/` is one. */
const streams: Readonly<Record<string, { readonly method: "GET" | "POST"; readonly handle: Stream }>> = {
  "/disco/job": { method: "POST", handle: submitUpload },
};

export async function handleDisco(exchange: Exchange, parts: DiscoInterfaceParts): Promise<void> {
  const { request, response, target } = exchange;
  const method = request.method ?? "";
  const path = target.segments.length > 2 && target.segments[1] === "job" ? "/disco/job" : target.path;
  const stream = Object.hasOwn(streams, path) ? streams[path] : undefined;
  if (stream !== undefined) {
    if (stream.method === method) await stream.handle(exchange, parts);
    else send(response, wrongMethod(target.path, [stream.method]));
    return;
  }
  if (target.segments[0] !== "disco") {
    send(response, text("Not found.", 404));
    return;
  }
  const body = hasBody(request) ? await readBody(request, parts.limits) : new Uint8Array(0);
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const signal = AbortSignal.any([gone.signal, parts.closing]);
  send(
    response,
    await answer({ method, path: target.path, query: target.query, body, offset: 0, signal }, parts.master),
  );
}
