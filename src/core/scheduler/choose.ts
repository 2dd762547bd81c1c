/**
 * Which of a job's waiting tasks runs on which of the nodes with room. Nodes are asked from the least loaded on; one that
 * holds the input of a waiting task goes before one that does not.
 */
import type { JobMachine } from "../job/machine.ts";
import type { Stage } from "../job/stage.ts";
import type { Placement } from "../job/wait-queue.ts";
import type { Cluster, Node } from "./cluster.ts";

export interface Choice {
  readonly node: Node;
  readonly stage: Stage;
  readonly task: number;
}

/** `nodes`: those with room, the least loaded first. `null`: none of the job's waiting tasks can run on them. */
export function choose(job: JobMachine, nodes: readonly Node[], cluster: Cluster): Choice | null {
  const stage = job.current();
  if (stage === undefined) return null;
  const placement = placementOf(job);
  if (placement === "anywhere" && nodes.length > 1 && stage.queue.placed) {
    const holder = nodes.find((node) => stage.queue.hasLocal(node.host) && cluster.carries(node, job.spec.labels));
    const task = holder === undefined ? -1 : stage.queue.peek(holder.host, "local");
    if (holder !== undefined && task >= 0) return { node: holder, stage, task };
  }
  for (const node of nodes) {
    if (!cluster.carries(node, job.spec.labels)) continue;
    const task = stage.queue.peek(node.host, placement);
    if (task >= 0) return { node, stage, task };
  }
  return null;
}

/** Whether a node that the task does not avoid could run it, so that it need not return to this host. */
export function othersCanTake(job: JobMachine, stage: Stage, task: number, host: string): boolean {
  const { cluster, spec } = job;
  const avoid = stage.troubles.get(task)?.avoid ?? [];
  const holders = stage.hosts(task);
  for (const node of cluster.nodes.values()) {
    if (node.host === host || avoid.includes(node.host) || !cluster.usable(node)) continue;
    if (spec.scheduler.forceLocal && holders.length > 0 && !holders.includes(node.host)) continue;
    if (spec.scheduler.forceRemote && holders.includes(node.host)) continue;
    if (cluster.carries(node, spec.labels)) return true;
  }
  return false;
}

function placementOf(job: JobMachine): Placement {
  const { forceLocal, forceRemote } = job.spec.scheduler;
  return forceLocal ? "local" : forceRemote ? "remote" : "anywhere";
}
