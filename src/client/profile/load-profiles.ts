/** Fetches the profiles of a job's tasks, wherever they lie, and merges them: never more than a few are in memory. */
import { DiscoError } from "../../errors.ts";
import { CallTree } from "../../worker/profile/call-tree.ts";
import { decodeProfile } from "../../worker/profile/stored-profile.ts";
import { badOption } from "../bad-option.ts";
import type { Disco } from "../disco.ts";
import { nearestName } from "../nearest-name.ts";
import { shown } from "../option-checks.ts";
import { ProfileStats } from "./profile-stats.ts";

/** Profiles that are fetched ahead of the one that is being merged. */
const fetchesAhead = 4;

/**
 * `mode`: `map`, `reduce` or the name of another stage; empty for all.
 * @throws DiscoError `unknown-job`, `unknown-stage`, `job-active`, `no-profile`, `bad-profile`
 */
export async function loadProfiles(disco: Disco, job: string, mode: string): Promise<ProfileStats> {
  if (typeof mode !== "string") throw badOption(`mode: the name of a stage was expected, not ${shown(mode)}`);
  const info = await disco.jobinfo(job);
  const stages = info.stages.map(({ stage }) => stage);
  if (mode !== "" && !stages.includes(mode)) throw unknownStage(job, mode, stages);
  if (info.status === "active") {
    throw new DiscoError(`${job} still runs: its profile is complete when it has ended`, {
      code: "job-active",
      job,
      hint: "Wait for it first: await job.wait(), or `disco wait`.",
    });
  }
  const keys = profileKeys(await disco.oobList(job), mode === "" ? stages : [mode]);
  if (keys.length === 0) throw noProfile(job, mode, info.status === "dead");
  const tree = new CallTree();
  const hosts = new Set<string>();
  const seen = new Set<string>();
  let intervalMicros = 0;
  for await (const [key, bytes] of fetched(disco, job, keys)) {
    const profile = decodeProfile(bytes, key);
    tree.merge(profile.tree);
    hosts.add(profile.host);
    seen.add(profile.stage);
    intervalMicros = Math.max(intervalMicros, profile.intervalMicros);
  }
  const merged = stages.filter((stage) => seen.has(stage));
  return new ProfileStats({ job, stages: merged, hosts: [...hosts].sort(), tasks: keys.length, intervalMicros, tree });
}

/** Keys of profiles of these stages, in the order of stages and tasks. */
function profileKeys(keys: readonly string[], stages: readonly string[]): string[] {
  return keys
    .flatMap((key) => {
      const [, stage = "", task = ""] = /^profile-(.+)-(\d+)$/.exec(key) ?? [];
      const at = stages.indexOf(stage);
      return at < 0 ? [] : [{ key, at, task: Number(task) }];
    })
    .sort((a, b) => a.at - b.at || a.task - b.task)
    .map(({ key }) => key);
}

/** In the order of `keys`. */
async function* fetched(
  disco: Disco,
  job: string,
  keys: readonly string[],
): AsyncGenerator<readonly [key: string, bytes: Uint8Array]> {
  const ahead: Promise<Uint8Array>[] = [];
  for (const [i, key] of keys.entries()) {
    for (const next of keys.slice(i + ahead.length, i + fetchesAhead)) {
      const bytes = disco.oobGet(job, next);
      // Thrown in its turn.
      bytes.catch(() => undefined);
      ahead.push(bytes);
    }
    yield [key, await (ahead.shift() as Promise<Uint8Array>)];
  }
}

function unknownStage(job: string, mode: string, stages: readonly string[]): DiscoError {
  const meant = nearestName(mode, stages);
  return new DiscoError(`${job} has no stage ${shown(mode)}`, {
    code: "unknown-stage",
    job,
    hint: meant === undefined ? `Its stages are ${stages.join(", ")}.` : `Did you mean ${meant}?`,
  });
}

function noProfile(job: string, mode: string, isDead: boolean): DiscoError {
  const what = mode === "" ? `${job} has no profile` : `stage ${mode} of ${job} has no profile`;
  const why = isDead
    ? "none of its tasks ended well, or it was not run with profile: true"
    : "it was not run with profile: true";
  return new DiscoError(`${what}: ${why}`, {
    code: "no-profile",
    job,
    hint: "Give the job `profile: true`, or run it with `disco run --profile`.",
  });
}
