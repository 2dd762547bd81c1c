/** The table of routes, and the one way in: what is not in the table is 404, errors become replies. */
import type { MasterApi } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";
import { eventRoutes } from "./events.ts";
import { jobControlRoutes } from "./job-control.ts";
import { jobRoutes } from "./jobs.ts";
import { nodeRoutes } from "./nodes.ts";
import { resultRoutes } from "./results.ts";
import { BadRequest, type HttpReply, type HttpRequest, json, type Route, text } from "./route.ts";
import { settingRoutes } from "./settings.ts";
import { versionRoutes } from "./version.ts";

const table = new Map<string, Map<string, Route>>();
for (const route of [
  ...versionRoutes,
  ...jobRoutes,
  ...resultRoutes,
  ...eventRoutes,
  ...jobControlRoutes,
  ...nodeRoutes,
  ...settingRoutes,
]) {
  let methods = table.get(route.path);
  if (methods === undefined) table.set(route.path, (methods = new Map()));
  methods.set(route.method, route);
}

/** Paths that are answered. */
export const paths: ReadonlySet<string> = new Set(table.keys());

const notFound = new Set(["unknown-job", "unknown-stage", "unknown-node", "stage-not-ended", "stage-gone"]);

/** Reasons that pass: Disco's client tries again after a 503. */
const later = new Set(["read-only", "disk-full", "closed", "too-many-jobs"]);
const retryAfterSeconds = 5;

export async function answer(request: HttpRequest, master: MasterApi): Promise<HttpReply> {
  const methods = table.get(request.path);
  if (methods === undefined) return text("Not found.", 404);
  const route = methods.get(request.method);
  if (route === undefined) return wrongMethod(request.path, [...methods.keys()]);
  try {
    return await route.handle(request, master);
  } catch (error) {
    const reply = replyOf(error);
    if (reply === null) return json("Internal server error", 500);
    return reply;
  }
}

/** The answer that an error stands for; `null`: nobody expected it. */
export function replyOf(error: unknown): HttpReply | null {
  if (error instanceof BadRequest) return error.reply;
  if (!(error instanceof DiscoError)) return null;
  if (notFound.has(error.code)) return text("Not found.", 404);
  if (!later.has(error.code)) return json(error.message, 400);
  return { ...json(error.message, 503), headers: { "retry-after": String(retryAfterSeconds) } };
}

export function wrongMethod(path: string, methods: readonly string[]): HttpReply {
  const allowed = methods.join(", ");
  return { ...json(`${path} takes ${allowed}`, 405), headers: { allow: allowed } };
}

/** A request from a path with its query; `data` makes it a POST. */
export function requestOf(path: string, options: { data?: string | Uint8Array; offset?: number } = {}): HttpRequest {
  const { data, offset } = options;
  // Any base will do: only path and query are used.
  const url = new URL(path, "http://master");
  const body = typeof data === "string" ? Buffer.from(data, "utf8") : (data ?? new Uint8Array(0));
  return {
    method: data === undefined ? "GET" : "POST",
    path: url.pathname,
    query: url.searchParams,
    body,
    offset: offset ?? 0,
  };
}
