/** What is told of nodes: what the master knows, what their heartbeats said last, or what the node itself says at this moment. */
import type { NodeInfo, NodeRemoval } from "../client/master-api.ts";
import type { MasterMachine } from "../core/master.ts";
import type { Node } from "../core/scheduler/cluster.ts";
import { DiscoError } from "../errors.ts";
import type { Heartbeat } from "../protocol/messages.ts";
import type { NodeLink } from "./node-link.ts";

/** Who hears the heartbeats of nodes (`liveness.ts`). */
export interface NodeWatch {
  /** The last one; `null`: none yet. */
  heartbeat(host: string): Heartbeat | null;
  /** Milliseconds since the node was heard; `null`: it is none of those that are watched. */
  silentForMs(host: string): number | null;
}

/** A node that has sent no heartbeat is asked; one that does not answer in time is told without its disk. */
export function nodeInfos(machine: MasterMachine, nodes: NodeLink, watch: NodeWatch | null): Promise<NodeInfo[]> {
  const { cluster } = machine;
  return Promise.all(
    [...cluster.nodes.values()].map(async (node) => {
      const heartbeat = watch?.heartbeat(node.host) ?? null;
      const silentMs = watch?.silentForMs(node.host) ?? null;
      const state = heartbeat ?? (node.connected ? await nodes.state(node.host).catch(() => null) : null);
      const standing = cluster.standing(node);
      return {
        name: node.host,
        state: standing === "open" ? ("up" as const) : standing,
        reason: standing === "quarantined" ? (node.health?.reason ?? null) : null,
        url: node.url,
        ...(silentMs === null ? {} : { lastHeardMs: Math.round(silentMs) }),
        ...(heartbeat === null
          ? {}
          : { memoryFreeBytes: heartbeat.memoryFreeBytes, memoryTotalBytes: heartbeat.memoryTotalBytes }),
        slots: node.slots,
        connected: node.connected,
        blacklisted: cluster.blacklist.has(node.host),
        tasksOk: node.tasksOk,
        tasksFailed: node.tasksFailed,
        dataErrors: node.dataErrors,
        diskFreeBytes: state?.diskFreeBytes ?? 0,
        diskUsedBytes: state?.diskUsedBytes ?? 0,
        // As the states of jobs tell it.
        tasks: machine.runningOn(node.host),
        labels: node.labels,
      };
    }),
  );
}

/** @throws DiscoError `unknown-node` */
export function assertNode({ cluster }: MasterMachine, host: string): Node {
  const node = cluster.nodes.get(host);
  if (node !== undefined) return node;
  const names = [...cluster.nodes.keys()];
  throw new DiscoError(`there is no node ${host}`, {
    code: "unknown-node",
    node: host,
    hint: names.length === 0 ? "No node has joined yet." : `The nodes are ${names.slice(0, 20).join(", ")}.`,
  });
}

/** @throws DiscoError `unknown-node` */
export function removal(machine: MasterMachine, host: string): NodeRemoval {
  assertNode(machine, host);
  return machine.removal(host) as NodeRemoval;
}
