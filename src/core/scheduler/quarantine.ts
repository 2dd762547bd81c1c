/**
 * Nodes that are kept from tasks for a while, although they say that they are well. A node that fails everything it is given is always
 * the first to have room again: one broken disk can burn a thousand tasks. And a node that comes and goes loses, each time, all
 * that it was doing.
 *
 * H1. Everything is decided by events, so that a replay decides the same: a quarantine begins with the failure or the return that is
 *     one too many, and ends with a timer.
 * H2. `failuresMin` failures in a row, of `failedTasksMin` tasks or more, are too many, if elsewhere things went better meanwhile: a job
 *     that fails everywhere says nothing about a node. Elsewhere at most every fourth attempt failed, so by chance it happens
 *     once in 65,000 times.
 * H3. A quarantine lasts `failingMs`, and twice as long each time. After it the next failure is one too many already: such a node is
 *     tried with what fits in its queue. Each success takes one doubling back, and a failure is the first of a row again.
 * H4. `lossesMin` losses within `lossesWindowMs` are too many: when the node returns, it waits, twice as long for each further loss. A
 *     restart of its process counts, a master that takes over does not.
 * H5. At most half of the connected nodes, and never the last one that takes tasks. When the others go, all are let out.
 * H6. Whoever whitelists a node lets it out, and all is forgotten.
 */
import type { Command } from "../commands.ts";
import type { Cluster, Node } from "./cluster.ts";

export const failuresMin = 8;
export const failedTasksMin = 3;
/** Of the attempts that ended elsewhere meanwhile, at least so many succeeded for each that failed. */
const betterElsewhereFactor = 3;
export const failingMs = 60_000;
export const failingMaxMs = 3_600_000;
export const lossesMin = 3;
export const lossesWindowMs = 600_000;
export const flappingMs = 15_000;
export const flappingMaxMs = 600_000;
const lossesKeptMax = 10;

/** What speaks against a node. */
export interface Health {
  /** Failures since anything last succeeded there. */
  failures: number;
  /** Some of the tasks that failed: `failedTasksMin` at most. */
  tasks: string[];
  /** What had ended on all nodes when the row began (`Cluster.tasksOk`, `tasksFailed`). */
  okBefore: number;
  failedBefore: number;
  /** Quarantines for failures, less successes since. */
  level: number;
  /** When it was lost or started anew, ms since 1970: the newest. */
  losses: number[];
  /** End of its quarantine, ms since 1970; 0: it is in none. */
  until: number;
  /** Of the quarantine, or of the last one. */
  reason: string;
}

function healthOf(node: Node): Health {
  node.health ??= { failures: 0, tasks: [], okBefore: 0, failedBefore: 0, level: 0, losses: [], until: 0, reason: "" };
  return node.health;
}

/** An attempt succeeded on the node. */
export function noteSuccess(cluster: Cluster, node: Node): void {
  cluster.tasksOk++;
  const { health } = node;
  if (health === null || health.failures === 0) return;
  health.failures = 0;
  health.tasks = [];
  health.level = Math.max(0, health.level - 1);
}

/** An attempt of the task failed on the node (`task` tells tasks apart). Gives the timer of the quarantine that begins. */
export function noteFailure(cluster: Cluster, node: Node, task: string, at: number): Command | null {
  cluster.tasksFailed++;
  const health = healthOf(node);
  if (health.failures === 0) {
    health.okBefore = cluster.tasksOk;
    health.failedBefore = cluster.tasksFailed - 1;
  }
  health.failures++;
  if (health.tasks.length < failedTasksMin && !health.tasks.includes(task)) health.tasks.push(task);
  if (health.failures < failuresMin || health.tasks.length < failedTasksMin) return null;
  const okElsewhere = cluster.tasksOk - health.okBefore;
  const failedElsewhere = cluster.tasksFailed - health.failedBefore - health.failures;
  if (okElsewhere < failedElsewhere * betterElsewhereFactor) return null;
  const ms = Math.min(failingMs * 2 ** health.level, failingMaxMs);
  const reason = `${health.failures} tasks failed there in a row, and not elsewhere`;
  const timer = confine(cluster, node, at + ms, reason);
  if (timer !== null) health.level++;
  return timer;
}

/** The node was lost, or its process was started anew. */
export function noteLoss(node: Node, at: number): void {
  const { losses } = healthOf(node);
  losses.push(at);
  if (losses.length > lossesKeptMax) losses.shift();
}

/** The node has joined again. Gives the timer of the quarantine that begins. */
export function noteReturn(cluster: Cluster, node: Node, at: number): Command | null {
  const health = node.health;
  if (health === null) return null;
  const recent = health.losses.filter((loss) => Math.abs(at - loss) <= lossesWindowMs).length;
  if (recent < lossesMin) return null;
  const ms = Math.min(flappingMs * 2 ** (recent - lossesMin), flappingMaxMs);
  return confine(cluster, node, at + ms, `it came and went ${recent} times within ${lossesWindowMs / 60_000} minutes`);
}

/** The timer of a quarantine is due. */
export function endQuarantine(cluster: Cluster, host: string, until: number): void {
  const node = cluster.node(host);
  if (node?.health?.until === until) letOut(cluster, node);
}

/** An operator trusts the node. */
export function forgive(cluster: Cluster, host: string): void {
  const node = cluster.node(host);
  if (node === undefined || node.health === null) return;
  letOut(cluster, node);
  node.health = null;
}

/** Lets all nodes out if no other one takes tasks (H5). To be called after nodes came, changed or went. */
export function relieve(cluster: Cluster): void {
  if (cluster.quarantined.size === 0) return;
  for (const node of cluster.nodes.values()) if (node.slots > 0 && cluster.usable(node)) return;
  for (const node of [...cluster.quarantined]) letOut(cluster, node);
}

function confine(cluster: Cluster, node: Node, until: number, reason: string): Command | null {
  const health = healthOf(node);
  if (cluster.quarantined.has(node) ? health.until >= until : !mayConfine(cluster, node)) return null;
  health.until = until;
  health.reason = reason;
  cluster.quarantined.add(node);
  cluster.refresh(node.host);
  return { kind: "set-timer", key: quarantineKey(node.host, until), at: until };
}

function mayConfine(cluster: Cluster, node: Node): boolean {
  let connected = 0;
  let confined = 1;
  let isOtherUsable = false;
  for (const one of cluster.nodes.values()) {
    if (!one.connected) continue;
    connected++;
    if (cluster.quarantined.has(one)) confined++;
    else if (one !== node && one.slots > 0 && cluster.usable(one)) isOtherUsable = true;
  }
  return isOtherUsable && confined * 2 <= connected;
}

function letOut(cluster: Cluster, node: Node): void {
  if (node.health !== null) node.health.until = 0;
  cluster.quarantined.delete(node);
  cluster.refresh(node.host);
}

/** Begins the keys of timers that are about nodes: no job has this name. */
export const ofNodes = "";

/** Names the timer that ends a quarantine. */
export function quarantineKey(host: string, until: number): string {
  return `${ofNodes}/quarantine/${until}/${host}`;
}

/** A timer about a node is due. */
export function fireOfNodes(cluster: Cluster, key: string): void {
  const [, what, until, ...host] = key.split("/");
  if (what === "quarantine") endQuarantine(cluster, host.join("/"), Number(until));
}
