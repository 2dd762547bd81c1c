/** Whether a node can be removed: what still runs there, and who still reads what lies there. */
import type { MasterMachine } from "./master.ts";

/** What a node is still needed for. */
export interface Removal {
  readonly host: string;
  /** Nothing new starts there. */
  readonly draining: boolean;
  /** Live attempts there, those in its queue included. */
  readonly attempts: number;
  /** Active jobs that may read outputs from it, or whose pack it keeps. Without it, these are made again on other nodes. */
  readonly jobs: readonly string[];
  /** Ended jobs, not purged yet, some of whose results lie there: those results would be gone. */
  readonly resultsOfJobs: number;
  /** It takes no new tasks, and nothing of the above is left. */
  readonly safe: boolean;
}

export function removalOf(master: MasterMachine, host: string): Removal | undefined {
  const { cluster } = master;
  const node = cluster.node(host);
  if (node === undefined) return undefined;
  const jobs: string[] = [];
  for (const job of master.jobs.values()) if (job.readsFrom(host) || job.holders.includes(host)) jobs.push(job.name);
  const place = `dir://${host}/`;
  let resultsOfJobs = 0;
  for (const { results } of master.ended.values())
    if (results.some((address) => address.startsWith(place))) resultsOfJobs++;
  const isNeeded = node.load > 0 || jobs.length > 0 || resultsOfJobs > 0;
  const isClosed = !node.connected || node.draining;
  return { host, draining: node.draining, attempts: node.load, jobs, resultsOfJobs, safe: isClosed && !isNeeded };
}
