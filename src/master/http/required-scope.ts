/** What a request needs to be allowed: to look is `read`, jobs are `submit`, the cluster is `admin`. */
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
