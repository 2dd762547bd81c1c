/**
 * Which of a job's waiting tasks runs on which of the nodes with room. Nodes are asked from the least loaded on; one that
 * holds the input of a waiting task goes before one that does not, and for a while a task is kept for such a node
 * although another one has room (`late-binding.ts`).
 */
import type { JobMachine } from "../job/machine.ts";
import type { Stage } from "../job/stage.ts";
import type { Placement } from "../job/wait-queue.ts";
import type { Node } from "./cluster.ts";
import { byLoad } from "./cluster.ts";
import { keepsForLocal, worthWaiting } from "./late-binding.ts";

export interface Choice {
  readonly node: Node;
  readonly stage: Stage;
  readonly task: number;
}

/** Tasks could run on these nodes, and are kept for others. */
export const held = "held";

/**
 * `nodes`: those with room, the least loaded first. `null`: none of the job's waiting tasks can run on them. `mayHold: false`: no
 * task is kept for another node.
 */
export function choose(
  job: JobMachine,
  nodes: readonly Node[],
  at: number,
  mayHold: boolean,
): Choice | typeof held | null {
  const stage = job.current();
  if (stage === undefined) return null;
  // What waits for input gets a slot of its own, not a place in a queue.
  return stage.awaitsInput
    ? chooseIn(job, stage, nodes.filter(isFree), at, mayHold)
    : chooseIn(job, stage, nodes, at, mayHold);
}

function isFree(node: Node): boolean {
  return node.load < node.slots;
}

function chooseIn(
  job: JobMachine,
  stage: Stage,
  nodes: readonly Node[],
  at: number,
  mayHold: boolean,
): Choice | typeof held | null {
  const { cluster, spec } = job;
  const placement = placementOf(job);
  const { queue } = stage;
  const isPlaced = placement === "anywhere" && queue.placed;
  const isKept = isPlaced && mayHold && keepsForLocal(stage, at);
  // Nodes need not be asked one by one where only those that hold an input get something.
  const isForHolders = nodes.length > 1 && (isKept || placement === "local") && !queue.anyUnplaced;
  if (isForHolders || (isPlaced && nodes.length > 1)) {
    const holder = holderOf(job, stage, nodes);
    const task = holder === undefined ? -1 : queue.peek(holder.host, "local");
    if (holder !== undefined && task >= 0) return { node: holder, stage, task };
  }
  for (const node of isForHolders ? [] : nodes) {
    if (!cluster.carries(node, spec.labels)) continue;
    const task = queue.peek(node.host, isKept ? "local-first" : placement);
    if (task >= 0) return { node, stage, task };
  }
  if (!isKept) return null;
  const node = nodes.find((one) => cluster.carries(one, spec.labels));
  if (node === undefined) return null;
  const task = queue.peekAbandoned((host) => worthWaiting(host, job), cluster.changes);
  if (task >= 0) return { node, stage, task };
  return queue.peek(node.host, "anywhere") >= 0 ? held : null;
}

/** The least loaded of the nodes that holds the input of a waiting task. Looks at the holders or at the nodes, whichever are fewer. */
function holderOf({ cluster, spec }: JobMachine, stage: Stage, nodes: readonly Node[]): Node | undefined {
  const { queue } = stage;
  if (queue.hosts.size > nodes.length)
    return nodes.find((node) => queue.hasLocal(node.host) && cluster.carries(node, spec.labels));
  let best: Node | undefined;
  for (const host of queue.hosts.keys()) {
    const node = host === null ? undefined : cluster.node(host);
    if (node === undefined || !cluster.hasRoom(node) || !queue.hasLocal(node.host)) continue;
    if (stage.awaitsInput && !isFree(node)) continue;
    if (cluster.carries(node, spec.labels) && (best === undefined || byLoad(node, best) < 0)) best = node;
  }
  return best;
}

/** Whether a node that the task does not avoid could run it, so that it need not return to this host. */
export function othersCanTake(job: JobMachine, stage: Stage, task: number, host: string): boolean {
  const { cluster } = job;
  const avoid = stage.troubles.get(task)?.avoid ?? [];
  for (const node of cluster.nodes.values()) {
    if (node.host === host || avoid.includes(node.host)) continue;
    if (canTake(job, stage, task, node)) return true;
  }
  return false;
}

/** Whether the node could run the task if it had room, wherever the task failed before. */
export function canTake({ cluster, spec }: JobMachine, stage: Stage, task: number, node: Node): boolean {
  if (!cluster.usable(node) || node.slots === 0 || !cluster.carries(node, spec.labels)) return false;
  const { forceLocal, forceRemote } = spec.scheduler;
  if (!forceLocal && !forceRemote) return true;
  const holders = stage.hosts(task);
  if (forceLocal && holders.length > 0 && !holders.includes(node.host)) return false;
  return !forceRemote || !holders.includes(node.host);
}

export function placementOf(job: JobMachine): Placement {
  const { forceLocal, forceRemote } = job.spec.scheduler;
  return forceLocal ? "local" : forceRemote ? "remote" : "anywhere";
}
