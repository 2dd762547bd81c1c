/**
 * The JSON API: each operation of `protocol/api` with its handler. A request is checked as a whole, path, scope, parameters, body,
 * before the master hears of it; what is wrong with it is answered with the reason and changes nothing.
 *
 * Answers are written to Node's response and not returned as values of the web: streams and files keep the reader's pace so.
 */
import type { IncomingMessage } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import { DiscoError } from "../../../errors.ts";
import { apiBase, type Operation } from "../../../protocol/api/operation.ts";
import type { ServedMaster } from "../../served-master.ts";
import type { Caller, Handler } from "../handler.ts";
import { answer, sendError } from "./answer.ts";
import type { ApiOptions, Served } from "./call.ts";
import { eventOperations } from "./events.ts";
import { jobOperations } from "./jobs.ts";
import { nodeOperations } from "./nodes.ts";
import { settingOperations } from "./settings.ts";
import { taskOperations } from "./tasks.ts";

export type { ApiOptions } from "./call.ts";

/** Everything that is answered. */
export const servedOperations: readonly Served[] = [
  ...jobOperations,
  ...taskOperations,
  ...eventOperations,
  ...nodeOperations,
  ...settingOperations,
];

type ApiContext = Context<{ Bindings: HttpBindings }>;

/** Answers everything below `/api/v1`. */
export function createApi(master: ServedMaster, options: ApiOptions): Handler {
  const callers = new WeakMap<IncomingMessage, Caller>();
  const app = new Hono<{ Bindings: HttpBindings }>();
  const failed = (error: unknown, { env }: ApiContext): Response => {
    sendError(error, env.incoming, env.outgoing, options);
    return RESPONSE_ALREADY_SENT;
  };
  for (const one of servedOperations) {
    app.on(one.operation.method, routeOf(one.operation), async ({ env, req }) => {
      const { incoming: request, outgoing: response } = env;
      const caller = callers.get(request) ?? { scope: "read" };
      await answer(one, { request, response, caller, master, options, params: req.param() });
      return RESPONSE_ALREADY_SENT;
    });
  }
  for (const route of new Set(servedOperations.map(({ operation }) => routeOf(operation)))) {
    app.all(route, (context) => failed(wrongMethod(route, context), context));
  }
  app.notFound((context) => failed(notFound(context.env.incoming), context));
  app.onError((error, context) => failed(error, context));
  const listen = getRequestListener((request, env) => app.fetch(request, env as HttpBindings), {
    overrideGlobalObjects: false,
    // Whatever is left of a body when it is refused, `sendError` takes care of.
    autoCleanupIncoming: false,
  });
  return async (request, response, caller) => {
    callers.set(request, caller);
    await listen(request, response);
  };
}

function wrongMethod(route: string, { req, env }: ApiContext): DiscoError {
  const methods = servedOperations
    .filter(({ operation }) => routeOf(operation) === route)
    .map(({ operation }) => operation.method);
  env.outgoing.setHeader("allow", methods.join(", "));
  return new DiscoError(`${req.path} takes ${methods.join(" and ")}, not ${req.method}`, {
    code: "method-not-allowed",
  });
}

function notFound({ url = "" }: IncomingMessage): DiscoError {
  const path = url.replace(/\?.*$/s, "").slice(0, 200);
  return new DiscoError(`there is no ${path}`, { code: "not-found", hint: `${apiBase}/openapi.json lists all paths.` });
}

/** As the router writes it: `/api/v1/jobs/:name`. */
function routeOf({ path }: Operation): string {
  return apiBase + path.replace(/\{(\w+)\}/g, ":$1");
}
