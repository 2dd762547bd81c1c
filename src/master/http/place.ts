/** Which part of the server answers a path. */
import { pagePaths } from "./pages.ts";
import { type Target, unwrapped } from "./target.ts";

export type Place =
  | { readonly kind: "health" | "readiness" | "metrics" | "api" }
  /** Nodes that come over HTTP. */
  | { readonly kind: "bus" }
  /** A file of the web page. */
  | { readonly kind: "page" }
  /** Files of jobs, here or (below `/proxy/`) at another node. */
  | { readonly kind: "data" }
  /** Disco's own interface, also where it was addressed below `/proxy/`. */
  | { readonly kind: "disco"; readonly target: Target };

const fixed: ReadonlyMap<string, Place> = new Map([
  ["/healthz", { kind: "health" }],
  ["/readyz", { kind: "readiness" }],
  ["/metrics", { kind: "metrics" }],
]);

export function placeOf(target: Target): Place {
  const place = fixed.get(target.path);
  if (place !== undefined) return place;
  if (pagePaths.has(target.path) || target.segments[0] === "web") return { kind: "page" };
  if (target.segments[0] === "bus") return { kind: "bus" };
  if (target.segments[0] === "api" && target.segments[1] === "v1") return { kind: "api" };
  const inner = unwrapped(target)?.target ?? target;
  const [first, , hash = ""] = inner.segments;
  // `/disco/NODE/hh/JOB/…`
  if (first === "disco" && inner.segments.length > 3 && /^[0-9a-f]{2}$/.test(hash)) return { kind: "data" };
  return { kind: "disco", target: inner };
}

/** Answered without a token. */
export function isProbe({ kind }: Place): boolean {
  return kind === "health" || kind === "readiness";
}

/** Answers to these paths end their connection, as Disco has it: its clients open one a request. */
export function endsConnection(path: string): boolean {
  return /^\/(?:disco|ddfs|proxy)\//.test(path);
}

/** Whether a body may be as large as a job pack. */
export function takesPack(method: string | undefined, { segments }: Target): boolean {
  const [first, second, third] = segments;
  if (method !== "POST") return false;
  return first === "disco"
    ? second === "job"
    : first === "api" && second === "v1" && third === "jobs" && segments.length === 3;
}
