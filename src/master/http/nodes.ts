/** Nodes: state and blacklist. */
import type { NodeInfo } from "../../client/master-api.ts";
import { stringBody } from "./arguments.ts";
import { json, type Route } from "./route.ts";

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
    method: "POST",
    path: "/disco/ctrl/blacklist",
    async handle(request, master) {
      await master.blacklist(stringBody(request));
      return json("");
    },
  },
  {
    method: "POST",
    path: "/disco/ctrl/whitelist",
    async handle(request, master) {
      await master.whitelist(stringBody(request));
      return json("");
    },
  },
];

/** Disks are in KB on the wire. */
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
    tasks: node.tasks,
  };
}
