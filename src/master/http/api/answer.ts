/** From a request to its answer, be it an error. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { DiscoError } from "../../../errors.ts";
import { hasBody, sendRefusal } from "../../../http/refusal.ts";
import type { Operation, Scope } from "../../../protocol/api/operation.ts";
import type { ServedMaster } from "../../served-master.ts";
import type { Caller } from "../handler.ts";
import { sendJson } from "../send.ts";
import type { ApiOptions, Call, Served } from "./call.ts";
import { checkParameters, readJson } from "./checked.ts";
import { detailsOf, retryAfterOf, statusOf } from "./statuses.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Caller;
  readonly master: ServedMaster;
  readonly options: ApiOptions;
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

const scopes: readonly Scope[] = ["read", "submit", "admin"];

export async function answer({ operation, run }: Served, exchange: Exchange): Promise<void> {
  const { request, response, caller, master, options } = exchange;
  assertDecodable(request.url ?? "");
  assertAllowed(operation, caller);
  if (request.method === "HEAD" && operation.answer.kind === "stream") throw noHead(operation);
  const params = checkParameters(operation.params, Object.entries(exchange.params), "parameter", "bad-name");
  const query = checkParameters(operation.query, queryOf(request), "query parameter");
  const headers = checkedHeaders(operation, request);
  const body = await bodyOf(operation, request);
  const over = endOf(response, caller);
  const call = { params, query, headers, body, master, options, signal: over.signal, request, response };
  try {
    const value = await run(call as unknown as Call<Operation>);
    if (response.headersSent || response.destroyed) return;
    if (operation.answer.kind === "nothing") response.writeHead(204).end();
    else sendJson(response, operation.answer.kind === "json" ? operation.answer.status : 200, value);
  } finally {
    over.forget();
  }
}

/** Errors that nobody expected are told to `onError`, and to the client only that there was one. */
export function sendError(
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  { onError }: ApiOptions,
): void {
  if (!(error instanceof DiscoError)) onError?.(error, request);
  // Nobody is there any more, or a reply has begun, which can only be cut off.
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const details = detailsOf(error);
  const status = statusOf(details.code);
  const retryAfter = retryAfterOf(status);
  if (retryAfter !== null) response.setHeader("retry-after", String(retryAfter));
  // A body that is still coming is to be dealt with before the connection ends.
  if (!request.complete && hasBody(request)) sendRefusal(request, response, request.url ?? "", { status, ...details });
  else sendJson(response, status, { error: details });
}

async function bodyOf({ body, path }: Operation, request: IncomingMessage): Promise<unknown> {
  if (hasBody(request)) {
    if (body === undefined) throw new DiscoError(`${path} takes no body`, { code: "bad-body" });
    if (body.kind === "json") return await readJson(request, body.schema);
  }
  if (body?.kind === "json" && body.optional !== true) return await readJson(request, body.schema);
  return undefined;
}

/** A signal that is aborted when the client is gone or the server closes. */
function endOf(response: ServerResponse, { closing }: Caller): { signal: AbortSignal; forget: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  response.once("close", abort);
  closing?.addEventListener("abort", abort);
  if (closing?.aborted === true || response.destroyed) abort();
  const forget = (): void => {
    response.removeListener("close", abort);
    closing?.removeEventListener("abort", abort);
  };
  return { signal: controller.signal, forget };
}

function queryOf({ url = "" }: IncomingMessage): URLSearchParams {
  const mark = url.indexOf("?");
  return new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
}

function checkedHeaders(operation: Operation, { headers }: IncomingMessage): Record<string, unknown> {
  if (operation.headers === undefined) return {};
  const given: [string, string][] = [];
  for (const name of Object.keys(operation.headers.entries)) {
    const value = headers[name];
    if (typeof value === "string") given.push([name, value]);
  }
  return checkParameters(operation.headers, given, "header", "bad-header");
}

function assertAllowed({ scope, method, path }: Operation, caller: Caller): void {
  if (scopes.indexOf(caller.scope) >= scopes.indexOf(scope)) return;
  throw new DiscoError(
    `${method} ${path} needs a token with the scope ${scope}, the one that came has ${caller.scope}`,
    {
      code: "forbidden",
      hint: `Use a token that allows ${scope}.`,
    },
  );
}

/** Percent signs that mean nothing would be taken for what they are not. */
function assertDecodable(url: string): void {
  try {
    decodeURIComponent(url);
  } catch (cause) {
    throw new DiscoError("the address is not encoded as it should be", {
      code: "bad-url",
      cause,
      hint: "Encode names with encodeURIComponent.",
    });
  }
}

function noHead({ path }: Operation): DiscoError {
  return new DiscoError(`${path} is a stream, of which there is no HEAD`, { code: "method-not-allowed" });
}
