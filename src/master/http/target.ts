/**
 * The address of a request. It is decoded once and strictly: what could mean something else to whoever decodes it again, or
 * leads out of a directory, is refused before anybody sees it.
 */
import type { Refusal } from "../../http/refusal.ts";

export interface Target {
  /** As it came, without the query. */
  readonly path: string;
  /** Decoded parts of the path. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** Names under which clients of other systems send secrets in queries, where logs and histories would keep them. */
const secretParameters = new Set(["token", "access_token", "auth_token", "authorization", "api_key", "apikey"]);

export function parseTarget(url: string): Target | Refusal {
  if (!/^\/[\x21-\x7e]*$/.test(url) || /[#\\]/.test(url)) return bad("a path that begins with / expected");
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? "" : url.slice(mark));
  for (const name of query.keys()) {
    if (!secretParameters.has(name.toLowerCase())) continue;
    const hint = "Send it in a header: Authorization: Bearer TOKEN.";
    return { ...bad("tokens are not taken from addresses, which end up in logs"), code: "token-in-url", hint };
  }
  const segments: string[] = [];
  const parts = path.slice(1).split("/");
  for (const [i, part] of parts.entries()) {
    const segment = decoded(part);
    if (segment === null) return bad("the path has escapes that are none");
    if (segment === "" && i < parts.length - 1) return bad("the path has an empty part");
    if (segment === "." || segment === ".." || /[/\\\x00-\x1f\x7f]/.test(segment)) {
      return bad("the path has a part that is no name");
    }
    segments.push(segment);
  }
  return { path, segments, query };
}

export function isRefusal(value: object): value is Refusal {
  return "status" in value;
}

/** The address that a proxied one (`/proxy/NODE/METHOD/path`) stands for, and the method. */
export function unwrapped({ path, segments, query }: Target): { method: string; target: Target } | null {
  const [proxy, node, method] = segments;
  if (proxy !== "proxy" || node === undefined || method === undefined || segments.length < 4) return null;
  const target = { path: `/${path.split("/").slice(4).join("/")}`, segments: segments.slice(3), query };
  return { method, target };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

function bad(message: string): Refusal {
  return { status: 400, code: "bad-url", message };
}
