/**
 * Questions to the master's JSON API. The token goes into a header; where the daemon asks for one, a person is asked. Credentials of
 * the browser are never sent: a daemon's 401 would have it open a dialog of its own.
 */
import { hearClock } from "./master-clock.ts";
import { type ServerEvent, SseParser } from "./sse-parser.ts";
import { askToken, token } from "./token.ts";

const answerTimeoutMs = 15_000;
/** The server sends a heartbeat every 15 s: a stream that is silent for longer than two has lost its other end. */
const silenceMs = 40_000;

/** The master answered, and not with what was asked for. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string;

  constructor(status: number, { code = "", message = "", hint = "" }: ErrorBody) {
    super(message || `status ${status}`);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }

  /** The same question may get an answer later. */
  get passes(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

interface ErrorBody {
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
}

export interface Asked {
  readonly method?: "POST" | "PUT" | "PATCH";
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The path of a job below `/jobs`. */
export function jobPath(name: string, rest = ""): string {
  return `/jobs/${encodeURIComponent(name)}${rest}`;
}

/** Asks, and reads the answer. @throws ApiError, TypeError when nobody answers */
export async function ask<T>(path: string, { signal, ...asked }: Asked = {}): Promise<T> {
  const timeout = AbortSignal.timeout(answerTimeoutMs);
  const both = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const response = await send(path, { ...asked, signal: both }, signal);
  const text = await response.text();
  return (text === "" ? null : JSON.parse(text)) as T;
}

/** Server-sent events, until the server or the signal ends them. `alive` hears of every sign of life. */
export async function* follow(
  path: string,
  { signal, lastEventId, alive }: { signal: AbortSignal; lastEventId?: string | null; alive: () => void },
): AsyncGenerator<ServerEvent> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), silenceMs);
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), silenceMs);
    alive();
  };
  try {
    const headers = {
      accept: "text/event-stream",
      ...(lastEventId == null ? {} : { "last-event-id": lastEventId }),
    };
    const response = await send(path, { headers, signal: AbortSignal.any([signal, silent.signal]) }, signal);
    heard();
    const parser = new SseParser();
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    for (;;) {
      const part = await reader?.read();
      if (part?.value === undefined) return;
      heard();
      yield* parser.push(decoder.decode(part.value, { stream: true }));
    }
  } finally {
    clearTimeout(timer);
    // Whoever reads no further hangs up.
    silent.abort();
  }
}

/** An event that the server sends when a stream fails, as the error that it is. */
export function streamError(data: string): ApiError {
  const { error = {} } = JSON.parse(data) as { error?: ErrorBody };
  return new ApiError(error.code?.startsWith("unknown-") ? 404 : 500, error);
}

/** `outer`: while a person types a token, only this ends the wait. */
async function send(path: string, { method, body, headers, signal }: Asked, outer?: AbortSignal): Promise<Response> {
  for (;;) {
    const sent = token();
    const response = await fetch(`/api/v1${path}`, {
      method: method ?? "GET",
      headers: {
        ...headers,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(sent === null ? {} : { authorization: `Bearer ${sent}` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: signal ?? null,
    });
    hearClock(response.headers.get("date"));
    if (response.ok) return response;
    const error = await errorOf(response);
    if (response.status !== 401) throw error;
    await askToken(sent, error.message);
    outer?.throwIfAborted();
    // The time in which a person typed counts for nothing.
    if (signal?.aborted === true) throw new DOMException("asked for a token meanwhile", "TimeoutError");
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const { error = {} } = (await response.json()) as { error?: ErrorBody };
    return new ApiError(response.status, error);
  } catch {
    return new ApiError(response.status, {});
  }
}
