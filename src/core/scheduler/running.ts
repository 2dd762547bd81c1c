/**
 * Which live attempts run, and which still lie in the queue of their node: a node is given more attempts than it has slots, so
 * that none of its workers has to wait for the master.
 *
 * Nodes say that an attempt has begun only of those that run for a while: of tiny tasks it would be a message each. So the slots
 * that are left go to the attempts that have been with the node for the longest time. Never do more run than there are slots,
 * but for those of which the node has said so (it has fewer slots now than when they began).
 */
import type { JobMachine } from "../job/machine.ts";
import type { Attempt } from "../job/stage.ts";
import type { Cluster } from "./cluster.ts";

interface OnNode {
  begun: number;
  readonly others: Attempt[];
}

export function attemptsThatRun(jobs: Iterable<JobMachine>, cluster: Cluster): ReadonlySet<Attempt> {
  const runs = new Set<Attempt>();
  const nodes = new Map<string, OnNode>();
  for (const job of jobs) {
    if (job.live === 0) continue;
    for (const stage of job.stages) {
      for (const attempts of stage.live.values()) {
        for (const attempt of attempts) {
          let node = nodes.get(attempt.host);
          if (node === undefined) nodes.set(attempt.host, (node = { begun: 0, others: [] }));
          if (stage.beganAt(attempt) === undefined) {
            node.others.push(attempt);
          } else {
            node.begun++;
            runs.add(attempt);
          }
        }
      }
    }
  }
  for (const [host, { begun, others }] of nodes) {
    const left = (cluster.node(host)?.slots ?? 0) - begun;
    if (left <= 0) continue;
    // A stable sort: of one round of assignments, the order is that of the assignments.
    if (left < others.length) others.sort((a, b) => a.at - b.at);
    for (const attempt of others.slice(0, left)) runs.add(attempt);
  }
  return runs;
}

/** Names of the jobs whose attempts run on the node, one for each attempt. */
export function jobsOn(jobs: Iterable<JobMachine>, host: string, runs: ReadonlySet<Attempt>): string[] {
  const names: string[] = [];
  for (const job of jobs) {
    for (const { live } of job.live === 0 ? [] : job.stages) {
      for (const attempt of [...live.values()].flat())
        if (attempt.host === host && runs.has(attempt)) names.push(job.name);
    }
  }
  return names;
}
