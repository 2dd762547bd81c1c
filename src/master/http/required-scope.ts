/** What a request needs to be allowed: to look is `read`, jobs, tags and blobs are `submit`, the cluster is `admin`. */
import type { Scope } from "../../settings/daemon-settings.ts";
import { type Target, unwrapped } from "./target.ts";

const jobActions: ReadonlySet<string> = new Set(["kill", "clean", "purge"]);
const discoScopes: Readonly<Record<string, Scope>> = {
  get_results: "read",
  kill_job: "submit",
  clean_job: "submit",
  purge_job: "submit",
};

export function requiredScope(method: string, target: Target): Scope {
  const inner = unwrapped(target);
  if (inner !== null && inner.method !== method) return "admin";
  if (target.segments[0] === "bus") return "admin";
  const ddfs = scopeOfDdfs(method, inner?.target ?? target);
  if (ddfs !== null) return ddfs;
  if (method === "GET" || method === "HEAD") return "read";
  const [first, second, third, , fifth] = (inner?.target ?? target).segments;
  if (first === "disco") {
    if (second === "job") return "submit";
    return second === "ctrl" && Object.hasOwn(discoScopes, third ?? "")
      ? (discoScopes[third ?? ""] ?? "admin")
      : "admin";
  }
  if (first === "api" && method === "POST") {
    if (third === "results") return "read";
    if (third === "jobs" && (fifth === undefined || jobActions.has(fifth))) return "submit";
  }
  return "admin";
}

/** Tags and blobs are changed with `submit`; what nodes are told to do is the cluster's. `null`: it is not about DDFS. */
function scopeOfDdfs(method: string, { segments }: Target): Scope | null {
  const isApi = segments[0] === "api" && segments[1] === "v1";
  const [first, second, third] = isApi ? segments.slice(2) : segments;
  if (first !== "ddfs") return null;
  if (second === "new_blob") return "submit";
  if (second === "ctrl") return third === "gc_start" ? "admin" : "read";
  if (method === "GET" || method === "HEAD") return "read";
  return second === "gc" || second === "scrub" ? "admin" : "submit";
}
