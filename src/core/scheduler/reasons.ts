/**
 * Why tasks wait, in words for people: for a job as a whole from its counters, for one task with what is known of it. Asked only
 * when somebody looks, so nothing here is kept.
 */
import type { JobMachine } from "../job/machine.ts";
import type { Stage } from "../job/stage.ts";
import { sleeping, waiting } from "../job/stage.ts";
import type { Cluster, Node, Standing } from "./cluster.ts";
import { isHeld, localWaitMs, worthWaiting } from "./late-binding.ts";

/** Empty when no task of the job waits. */
export function reasonsOf(job: JobMachine, cluster: Cluster): string[] {
  if (job.status === "active" && job.saving !== null) {
    return [job.saving.wakeAt > 0 ? "its results could not be saved: tried again soon" : "its results are being saved"];
  }
  const stage = job.current();
  if (job.status !== "active" || stage === undefined) return [];
  const reasons: string[] = [];
  const pausing = stage.count(sleeping);
  if (pausing === 1) reasons.push("1 task failed and is tried again after a pause");
  if (pausing > 1) reasons.push(`${pausing} tasks failed and are tried again after a pause`);
  if (stage.count(waiting) > 0) reasons.push(whyNotAssigned(job, stage, cluster));
  return reasons;
}

/** Why single tasks of a job wait. What concerns the job as a whole is found out once. */
export class TaskReasons {
  readonly #job: JobMachine;
  readonly #current: Stage | undefined;
  readonly #ofJob: string | null;
  readonly #room: readonly Node[];

  constructor(job: JobMachine) {
    this.#job = job;
    this.#current = job.current();
    this.#ofJob = whyNothingStarts(job, job.cluster);
    this.#room = nodesFor(job, job.cluster).filter((node) => job.cluster.hasRoom(node));
  }

  of(stage: Stage, task: number): string {
    const { spec } = this.#job;
    if (stage !== this.#current) return `stage ${this.#current?.spec.name ?? stage.spec.name} has to run first`;
    if (this.#ofJob !== null) return this.#ofJob;
    const holders = stage.hosts(task);
    if (spec.scheduler.forceLocal && holders.length > 0) {
      if (!this.#room.some(({ host }) => holders.includes(host)))
        return `force_local: ${named(holders)}, which ${holders.length > 1 ? "hold" : "holds"} its input, ${holders.length > 1 ? "have" : "has"} no slot for it`;
    } else if (this.#room.length === 0) {
      return "all slots are taken";
    } else if (spec.scheduler.forceRemote && this.#room.every(({ host }) => holders.includes(host))) {
      return `force_remote: only ${named(holders)} ${holders.length > 1 ? "have" : "has"} a free slot, and the input as well`;
    }
    const avoid = stage.troubles.get(task)?.avoid ?? [];
    if (this.#room.every(({ host }) => !stage.allowed(task, host)))
      return `it failed on ${named(avoid)} and waits for another node`;
    if (avoid.length === 0 && isHeld(stage)) {
      const worthy = holders.filter((host) => worthWaiting(host, this.#job));
      if (worthy.length > 0) return heldReason(worthy);
    }
    return "its turn has not come";
  }
}

function whyNotAssigned(job: JobMachine, stage: Stage, cluster: Cluster): string {
  const reason = whyNothingStarts(job, cluster);
  if (reason !== null) return reason;
  if (!nodesFor(job, cluster).some((node) => cluster.hasRoom(node))) return "all slots are taken";
  const { forceLocal, forceRemote } = job.spec.scheduler;
  if (forceLocal) return "force_local: no node with room holds the input";
  if (forceRemote) return "force_remote: only nodes that hold the input have room";
  if (isHeld(stage)) {
    const worthy = stage.queue.holders().filter((host) => worthWaiting(host, job));
    if (worthy.length > 0) return heldReason(worthy);
  }
  return "its turn has not come";
}

/** What keeps the whole job from starting tasks, whatever slots are free. */
function whyNothingStarts(job: JobMachine, cluster: Cluster): string | null {
  const { maxCores } = job.spec.scheduler;
  if (job.live >= maxCores) return `max_cores ${maxCores} reached`;
  let nodes: Node[] = [...cluster.nodes.values()].filter((node) => node.connected);
  if (nodes.length === 0) return "no nodes";
  const open = nodes.filter((node) => cluster.open(node));
  if (open.length === 0) return whyNoneIsOpen(nodes, cluster);
  nodes = open;
  for (const [key, value] of Object.entries(job.spec.labels)) {
    nodes = nodes.filter((node) => node.labels[key] === value);
    if (nodes.length === 0) return `no node carries label ${key}=${value}`;
  }
  if (nodes.every((node) => node.slots === 0)) return "the nodes' configuration gives them no slots";
  return null;
}

/** What keeps tasks off nodes that are connected, for people. */
const closed: Readonly<Record<Exclude<Standing, "open" | "lost">, string>> = {
  blacklisted: "blacklisted",
  draining: "being drained",
  quarantined: "in quarantine",
  awaited: "awaited by the master that has just taken over",
  suspect: "silent",
  full: "out of room on their disks",
};

/** Of nodes none of which is open. */
function whyNoneIsOpen(nodes: readonly Node[], cluster: Cluster): string {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const standing = cluster.standing(node);
    if (standing === "open" || standing === "lost") continue;
    counts.set(closed[standing], (counts.get(closed[standing]) ?? 0) + 1);
  }
  const [only] = counts.keys();
  if (counts.size === 1) return `all nodes are ${only}`;
  const parts = [...counts].map(([what, count]) => `${count} ${count === 1 ? "is" : "are"} ${what}`);
  return `no node takes tasks: ${parts.join(", ")}`;
}

function nodesFor(job: JobMachine, cluster: Cluster): Node[] {
  return [...cluster.nodes.values()].filter((node) => cluster.open(node) && cluster.carries(node, job.spec.labels));
}

function heldReason(holders: readonly string[]): string {
  const verb = holders.length > 1 ? "hold" : "holds";
  return `waits up to ${localWaitMs / 1000} s for a slot on ${named(holders)}, which ${verb} its input`;
}

/** Hosts in a sentence. */
const namedMax = 3;

function named(hosts: readonly string[]): string {
  const some = hosts.slice(0, namedMax).join(" or ");
  return hosts.length > namedMax ? `${some} or ${hosts.length - namedMax} others` : some;
}
