/**
 * Which files of a job a node need not keep. A node that was away, or restarted, when a job ended or was purged has never heard of
 * it; so when it joins it says what it has.
 *
 * LO1. Files are dropped for what the journal says, never for what it does not say: a job that is not known may have been cleaned,
 *      and then its results are still somebody's; or the journal is not the one that knew the job.
 * LO2. What an active job has, what a job with `keep` has, and results and packs that are read from this node stay.
 */
import type { DropScope, JobLeftover } from "../protocol/messages.ts";
import type { EndedJob } from "./ended-job.ts";
import type { MasterMachine } from "./master.ts";

/** `null`: all of it stays. */
export function dropOf(master: MasterMachine, host: string, leftover: JobLeftover): DropScope | null {
  const { job, intermediate } = leftover;
  if (master.jobs.has(job)) return null;
  const ended = master.ended.get(job);
  if (ended === undefined) return master.purged.has(job) ? "all" : null;
  // Older records do not say whether it is to be kept.
  if (ended.keep !== false) return null;
  if (ended.status === "ready" && !isReadFrom(ended, host)) return "all";
  return intermediate ? "intermediate" : null;
}

function isReadFrom({ results, oob, holders = [] }: EndedJob, host: string): boolean {
  const place = `dir://${host}/`;
  return (
    holders.includes(host) ||
    oob.some((value) => value.host === host) ||
    results.some((address) => address.startsWith(place))
  );
}
