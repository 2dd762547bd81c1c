/** Nodes come, change and go. */
import type { Command } from "./commands.ts";
import type { ConfigSaved, NodeEvent, NodeJoined } from "./events.ts";
import type { JobMachine } from "./job/machine.ts";
import { diskLost, nodeLost, nodeReturned, reconcile } from "./job/node-changes.ts";
import type { Cluster } from "./scheduler/cluster.ts";
import { forgive, noteLoss, noteReturn, relieve } from "./scheduler/quarantine.ts";

type EachJob = (act: (job: JobMachine) => Command[]) => Command[];

export function handleNodeEvent(event: NodeEvent, cluster: Cluster, eachJob: EachJob): Command[] {
  switch (event.kind) {
    case "node-joined":
      return joined(event, cluster, eachJob);
    case "node-updated": {
      const node = cluster.node(event.host);
      if (node === undefined) return [];
      node.offered = event.slots ?? node.offered;
      node.queueDepth = event.queueDepth ?? node.queueDepth;
      node.labels = event.labels ?? node.labels;
      cluster.changes++;
      cluster.resize(node);
      break;
    }
    case "node-draining":
    case "node-undrained": {
      const node = cluster.node(event.host);
      if (node !== undefined) node.draining = event.kind === "node-draining";
      break;
    }
    case "node-lost": {
      const node = cluster.node(event.host);
      if (node === undefined || !node.connected) return [];
      node.connected = false;
      noteLoss(node, event.at);
      cluster.settle(event.host);
      cluster.refresh(event.host);
      relieve(cluster);
      return eachJob((job) => nodeLost(job, event.host, event.at, event.reason));
    }
    case "node-forgotten":
      cluster.forget(event.host);
      return [];
    case "node-blacklisted":
      cluster.blacklist.add(event.host);
      break;
    case "node-whitelisted":
      cluster.blacklist.delete(event.host);
      forgive(cluster, event.host);
      break;
    case "config-saved":
      return configured(event, cluster);
  }
  cluster.refresh(event.host);
  relieve(cluster);
  return [];
}

function configured({ table }: ConfigSaved, cluster: Cluster): Command[] {
  cluster.config.clear();
  for (const [host, slots] of table) cluster.config.set(host, slots);
  const commands: Command[] = [];
  for (const node of cluster.nodes.values()) {
    const before = node.slots;
    cluster.resize(node);
    if (node.slots === before) continue;
    node.resized = true;
    if (node.connected) commands.push({ kind: "resize-node", host: node.host, slots: node.slots });
  }
  relieve(cluster);
  return commands;
}

function joined(event: NodeJoined, cluster: Cluster, eachJob: EachJob): Command[] {
  const { host, at, incarnation, slots, queueDepth, labels, attempts = [], url = null, session = null } = event;
  const node = cluster.node(host);
  const commands: Command[] = [];
  if (node === undefined) {
    cluster.add({
      host,
      incarnation,
      slots: cluster.config.get(host) ?? slots,
      offered: slots,
      resized: (cluster.config.get(host) ?? slots) !== slots,
      queueDepth,
      labels,
      url,
      session,
      connected: true,
      draining: false,
      health: null,
      load: 0,
      tasksOk: 0,
      tasksFailed: 0,
      dataErrors: 0,
    });
  } else {
    const newDisk = node.incarnation !== incarnation;
    if (newDisk && node.connected)
      commands.push(...eachJob((job) => nodeLost(job, host, at, "it returned with an empty disk")));
    if (newDisk) eachJob((job) => diskLost(job, host));
    const wasLost = !node.connected;
    const returned = wasLost && !newDisk;
    const restarted =
      node.connected && (newDisk || (session !== null && node.session !== null && session !== node.session));
    Object.assign(node, { incarnation, offered: slots, queueDepth, labels, url, session, connected: true });
    cluster.changes++;
    cluster.settle(host);
    cluster.resize(node);
    node.resized ||= node.slots !== slots;
    if (restarted) noteLoss(node, at);
    const timer = wasLost || restarted ? noteReturn(cluster, node, at) : null;
    if (timer !== null) commands.push(timer);
    relieve(cluster);
    if (returned) commands.push(...eachJob((job) => nodeReturned(job, host, at)));
  }
  const present = cluster.node(host);
  if (present?.resized) commands.push({ kind: "resize-node", host, slots: present.slots });
  const unknown = new Set(attempts.map(({ job }) => job));
  const reconciled = eachJob((job) => {
    unknown.delete(job.name);
    const own = attempts.filter((id) => id.job === job.name);
    return reconcile(job, host, at, own);
  });
  commands.push(...reconciled);
  // What the node has of jobs that are not active any more is for it to stop.
  for (const job of [...unknown].sort()) commands.push({ kind: "stop-job", job, hosts: [host] });
  return commands;
}
