/** A request that is not answered: why, for people and for programs, in the form of the interface that was asked. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RetryPolicy } from "../errors.ts";

export interface Refusal {
  readonly status: number;
  /** Stable, kebab-case, for programs. */
  readonly code: string;
  readonly message: string;
  /** What to do, one sentence. */
  readonly hint?: string;
  /** Whether the same request may be repeated. */
  readonly retry?: RetryPolicy;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a client still sends after it was refused is read for so long, or it would see a reset instead of the reason. */
const lingerMs = 1_000;
const apiPrefix = "/api/";

/** A JSON string, as Disco's own interface has it; below `/api/` an object. */
export function refusalBody(path: string, { code, message, hint, retry }: Refusal): Buffer {
  const body = path.startsWith(apiPrefix)
    ? // Those that are undefined are left out.
      { error: { code, message, hint, retry } }
    : hint === undefined
      ? message
      : `${message}. ${hint}`;
  return Buffer.from(JSON.stringify(body), "utf8");
}

/** Answers with the refusal. A connection on which a body is still coming is closed afterwards. */
export function sendRefusal(request: IncomingMessage, response: ServerResponse, path: string, refusal: Refusal): void {
  const body = refusalBody(path, refusal);
  response.statusCode = refusal.status;
  for (const [name, value] of Object.entries(refusal.headers ?? {})) response.setHeader(name, value);
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", body.byteLength);
  if (request.complete || !hasBody(request)) {
    response.end(request.method === "HEAD" ? undefined : body);
    return;
  }
  response.setHeader("connection", "close");
  response.write(body);
  const timer = setTimeout(() => response.end(), lingerMs);
  const over = (): void => {
    clearTimeout(timer);
    response.end();
  };
  request.once("end", over).once("close", over).once("error", over).resume();
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Thrown where a request turns out to be wrong while it is read. */
export class Refused extends Error {
  override name = "Refused";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}
