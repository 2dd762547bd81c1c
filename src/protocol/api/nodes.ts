/** Nodes: state, blacklists. */
import * as v from "valibot";
import { operation } from "./operation.ts";
import { count, labels, nodeParams, noParameters } from "./values.ts";

export const nodeInfo = v.object({
  name: v.string(),
  state: v.exactOptional(
    v.pipe(
      v.picklist(["up", "lost", "suspect", "awaited", "draining", "quarantined", "blacklisted", "full"]),
      v.description("Whether it gets tasks (`up`), or the first thing that keeps them off."),
    ),
  ),
  reason: v.exactOptional(v.pipe(v.nullable(v.string()), v.description("Why it is in quarantine."))),
  url: v.exactOptional(v.pipe(v.nullable(v.string()), v.description("Base URL of its data server."))),
  lastHeardMs: v.exactOptional(v.pipe(v.number(), v.description("Milliseconds since it was last heard."))),
  memoryFreeBytes: v.exactOptional(count),
  memoryTotalBytes: v.exactOptional(count),
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

export const nodeRemoval = v.object({
  host: v.string(),
  draining: v.pipe(v.boolean(), v.description("Nothing new starts there.")),
  attempts: v.pipe(count, v.description("Attempts there that run or wait in its queue.")),
  jobs: v.pipe(v.array(v.string()), v.description("Active jobs that may read from it.")),
  resultsOfJobs: v.pipe(count, v.description("Ended jobs some of whose results lie there.")),
  safe: v.pipe(v.boolean(), v.description("It takes no new tasks, and nothing of the above is left.")),
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
export const drainNode = aboutNode(
  "drainNode",
  "drain",
  "Start no more tasks on a node that is to be taken away; what runs there finishes.",
);
export const undrainNode = aboutNode("undrainNode", "undrain", "Keep the node after all.");

export const getRemoval = operation({
  id: "getRemoval",
  method: "GET",
  path: "/nodes/{name}/drain",
  scope: "read",
  summary: "Whether a node can be taken away, and what it is still needed for.",
  params: nodeParams,
  query: noParameters,
  answer: { kind: "json", status: 200, schema: nodeRemoval },
  errors: { 404: ["unknown-node"] },
});

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
