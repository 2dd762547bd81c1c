/** Nodes: state, blacklists. */
import * as v from "valibot";
import { operation } from "./operation.ts";
import { count, labels, nodeParams, noParameters } from "./values.ts";

export const nodeInfo = v.object({
  name: v.string(),
  slots: v.pipe(count, v.description("Worker processes at once.")),
  connected: v.boolean(),
  blacklisted: v.boolean(),
  tasksOk: count,
  tasksFailed: count,
  dataErrors: count,
  diskFreeBytes: count,
  diskUsedBytes: count,
  tasks: v.pipe(v.array(v.string()), v.description("Names of jobs, one for each running task.")),
  labels,
});

export const listNodes = operation({
  id: "listNodes",
  method: "GET",
  path: "/nodes",
  scope: "read",
  summary: "The nodes, with slots, tasks and disk.",
  params: noParameters,
  query: noParameters,
  answer: { kind: "json", status: 200, schema: v.object({ nodes: v.array(nodeInfo) }) },
});

function aboutNode<const Id extends string, const Action extends string>(id: Id, action: Action, summary: string) {
  return operation({
    id,
    method: "POST",
    path: `/nodes/{name}/${action}`,
    scope: "admin",
    summary,
    params: nodeParams,
    query: noParameters,
    answer: { kind: "nothing" },
    errors: { 404: ["unknown-node"] },
  });
}

export const blacklistNode = aboutNode(
  "blacklistNode",
  "blacklist",
  "Start no more tasks on a node; what runs there finishes.",
);
export const whitelistNode = aboutNode("whitelistNode", "whitelist", "Start tasks on a node again.");
export const gcBlacklistNode = aboutNode(
  "gcBlacklistNode",
  "gc-blacklist",
  "Have garbage collection empty a node for its removal.",
);
export const gcWhitelistNode = aboutNode("gcWhitelistNode", "gc-whitelist", "Keep data on a node again.");

export const listGcBlacklist = operation({
  id: "listGcBlacklist",
  method: "GET",
  path: "/gc-blacklist",
  scope: "read",
  summary: "Nodes that garbage collection empties.",
  params: noParameters,
  query: noParameters,
  answer: { kind: "json", status: 200, schema: v.object({ nodes: v.array(v.string()) }) },
});
