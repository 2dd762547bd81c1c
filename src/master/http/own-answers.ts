/**
 * What a master that follows answers by itself, out of what it has read of the journal. Everything else is the leader's: what changes
 * something, what waits or streams, and files that lie with the leader.
 *
 * An answer of a follower may be late, and nobody should see a state go back: who has been told by the leader that his job is there, or
 * has ended, asks about it next. So a job is told of only where that cannot happen, when it has ended; of others only when nobody leads.
 */
import type { MasterApi } from "../../client/master-api.ts";
import type { Place } from "./place.ts";
import type { Target } from "./target.ts";

/** `fallback`: the leader's, answered here when no leader can be asked. */
export type WhoAnswers = "here" | "fallback" | "leader";

const listsOfApi: ReadonlySet<string> = new Set([
  "jobs",
  "nodes",
  "master",
  "settings",
  "config",
  "gc-blacklist",
  "openapi.json",
]);
const partsOfJob: ReadonlySet<string> = new Set(["tasks", "stages"]);
const listsOfDisco: ReadonlySet<string> = new Set([
  "joblist",
  "nodeinfo",
  "get_blacklist",
  "get_gc_blacklist",
  "get_settings",
  "load_config_table",
]);
const jobOfDisco: ReadonlySet<string> = new Set(["jobinfo", "get_stageresults"]);

/** `master` is the one that follows. */
export async function whoAnswers(
  method: string,
  place: Place,
  target: Target,
  master: Pick<MasterApi, "results">,
): Promise<WhoAnswers> {
  // Of tags people are told what is in the journal, and that is what the leader knows.
  if (place.kind === "ddfs") return "leader";
  if (place.kind !== "api" && place.kind !== "disco") return "here";
  if (method !== "GET" && method !== "HEAD") return "leader";
  const { segments, query } = place.kind === "disco" ? place.target : target;
  // `/api/v1/…` and `/disco/ctrl/…`
  const [, second, what = "", name = "", part = ""] = segments;
  if (place.kind === "disco") {
    if (second === "version" || listsOfDisco.has(what)) return "here";
    return jobOfDisco.has(what) ? await ofJob(query.get("name") ?? "", master) : "leader";
  }
  if (name === "") return listsOfApi.has(what) ? "here" : "leader";
  if (what !== "jobs" || (part !== "" && !partsOfJob.has(part))) return "leader";
  return await ofJob(name, master);
}

async function ofJob(name: string, master: Pick<MasterApi, "results">): Promise<WhoAnswers> {
  const [state] = await master.results([name], 0);
  return state?.status === "ready" || state?.status === "dead" ? "here" : "fallback";
}
