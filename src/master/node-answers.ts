/** What is told of nodes: what the master knows, and what the node itself says at this moment. */
import type { NodeInfo } from "../client/master-api.ts";
import type { MasterMachine } from "../core/master.ts";
import type { NodeLink } from "./node-link.ts";

/** A node that does not answer in time is told without its disk. */
export function nodeInfos(machine: MasterMachine, nodes: NodeLink): Promise<NodeInfo[]> {
  const { cluster } = machine;
  return Promise.all(
    [...cluster.nodes.values()].map(async (node) => {
      const state = node.connected ? await nodes.state(node.host).catch(() => null) : null;
      return {
        name: node.host,
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
