/** Why tasks of a job wait, in words for people. */
import type { JobMachine } from "../job/machine.ts";
import { sleeping, waiting } from "../job/stage.ts";
import type { Cluster, Node } from "./cluster.ts";

/** Empty when no task of the job waits. */
export function reasonsOf(job: JobMachine, cluster: Cluster): string[] {
  const stage = job.current();
  if (job.status !== "active" || stage === undefined) return [];
  const reasons: string[] = [];
  if (stage.count(sleeping) > 0)
    reasons.push(`${stage.count(sleeping)} tasks failed and are tried again after a pause`);
  if (stage.count(waiting) > 0) reasons.push(whyNotAssigned(job, cluster));
  return reasons;
}

function whyNotAssigned(job: JobMachine, cluster: Cluster): string {
  const { maxCores, forceLocal, forceRemote } = job.spec.scheduler;
  if (job.live >= maxCores) return `max_cores ${maxCores} reached`;
  let nodes: Node[] = [...cluster.nodes.values()].filter((node) => node.connected);
  if (nodes.length === 0) return "no nodes";
  nodes = nodes.filter((node) => cluster.usable(node));
  if (nodes.length === 0) return "all nodes are blacklisted";
  for (const [key, value] of Object.entries(job.spec.labels)) {
    nodes = nodes.filter((node) => node.labels[key] === value);
    if (nodes.length === 0) return `no node carries label ${key}=${value}`;
  }
  nodes = nodes.filter((node) => cluster.hasRoom(node));
  if (nodes.length === 0) return "all slots are taken";
  if (forceLocal) return "force_local: no node with room holds the input";
  if (forceRemote) return "force_remote: only nodes that hold the input have room";
  return "its turn has not come";
}
