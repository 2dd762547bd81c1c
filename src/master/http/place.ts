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
  /** Tags and control of DDFS; `target` begins with `ddfs`. */
  | { readonly kind: "ddfs"; readonly target: Target; readonly isApi: boolean }
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
  if (target.segments[0] === "api" && target.segments[1] === "v1") {
    if (target.segments[2] !== "ddfs") return { kind: "api" };
    return { kind: "ddfs", target: { ...target, segments: target.segments.slice(2) }, isApi: true };
  }
  const inner = unwrapped(target)?.target ?? target;
  const [first, , hash = ""] = inner.segments;
  // `/disco/NODE/hh/JOB/…`
  if (first === "ddfs") return isBlob(inner) ? { kind: "data" } : { kind: "ddfs", target: inner, isApi: false };
  if (first === "disco" && inner.segments.length > 3 && /^[0-9a-f]{2}$/.test(hash)) return { kind: "data" };
  return { kind: "disco", target: inner };
}

/** `/ddfs/OBJECT`, where one is put, and `/ddfs/volN/…`; all else below `/ddfs` is about tags. */
function isBlob({ segments }: Target): boolean {
  const [, second = ""] = segments;
  return segments.length === 2 ? second.includes("$") : /^vol\d/.test(second);
}

/** Answered without a token. */
export function isProbe({ kind }: Place): boolean {
  return kind === "health" || kind === "readiness";
}

/** Answers to these paths end their connection, as Disco has it: its clients open one a request. */
export function endsConnection(path: string): boolean {
  return /^\/(?:disco|ddfs|proxy)\//.test(path);
}

/** Bytes that the head of a request may announce: what has limits of its own, has them where it is read. */
export function bodyBytesMaxOf(
  method: string | undefined,
  target: Target,
  { pack, other }: { readonly pack: number; readonly other: number },
): number {
  const { kind } = placeOf(target);
  if (kind === "ddfs" || (kind === "data" && method === "PUT")) return Number.POSITIVE_INFINITY;
  return takesPack(method, target) ? pack : other;
}

/** Whether a body may be as large as a job pack. */
function takesPack(method: string | undefined, { segments }: Target): boolean {
  const [first, second, third] = segments;
  if (method !== "POST") return false;
  return first === "disco"
    ? second === "job"
    : first === "api" && second === "v1" && third === "jobs" && segments.length === 3;
}
