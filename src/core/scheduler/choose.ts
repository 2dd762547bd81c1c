/**
 * Which of a job's waiting tasks runs on which of the nodes with room. Nodes are asked from the least loaded on; one that
 * holds the input of a waiting task goes before one that does not.
 */
import type { JobMachine } from "../job/machine.ts";
import type { Placement } from "../job/wait-queue.ts";
import type { Stage } from "../job/stage.ts";
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

function placementOf(job: JobMachine): Placement {
  const { forceLocal, forceRemote } = job.spec.scheduler;
  return forceLocal ? "local" : forceRemote ? "remote" : "anywhere";
}
