/** Nodes: state and blacklists. */
import type { MasterApi, NodeInfo } from "../../client/master-api.ts";
import { nodeNameBody } from "./arguments.ts";
import { json, type Route } from "./route.ts";

const actions: Readonly<Record<string, (master: MasterApi, node: string) => Promise<void>>> = {
  blacklist: (master, node) => master.blacklist(node),
  whitelist: (master, node) => master.whitelist(node),
  gc_blacklist: (master, node) => master.gcBlacklistNode(node),
  gc_whitelist: (master, node) => master.gcWhitelistNode(node),
};

export const nodeRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/disco/ctrl/nodeinfo",
    async handle(_request, master) {
      return json(Object.fromEntries((await master.nodeInfo()).map((node) => [node.name, wireNode(node)])));
    },
  },
  {
    method: "GET",
    path: "/disco/ctrl/get_blacklist",
    async handle(_request, master) {
      return json((await master.nodeInfo()).filter(({ blacklisted }) => blacklisted).map(({ name }) => name));
    },
  },
  {
    method: "GET",
    path: "/disco/ctrl/get_gc_blacklist",
    async handle(_request, master) {
      return json(await master.gcBlacklist());
    },
  },
  ...Object.entries(actions).map(
    ([name, act]): Route => ({
      method: "POST",
      path: `/disco/ctrl/${name}`,
      async handle(request, master) {
        await act(master, nodeNameBody(request));
        return json("");
      },
    }),
  ),
];

/** Disks are in KB on the wire; a node that runs nothing has no list of tasks. */
function wireNode(node: NodeInfo): object {
  return {
    job_ok: node.tasksOk,
    data_error: node.dataErrors,
    error: node.tasksFailed,
    max_workers: node.slots,
    connected: node.connected,
    blacklisted: node.blacklisted,
    diskfree: Math.floor(node.diskFreeBytes / 1024),
    diskused: Math.floor(node.diskUsedBytes / 1024),
    ...(node.tasks.length === 0 ? {} : { tasks: node.tasks }),
  };
}
