/** Nodes and their blacklists. */
import {
  blacklistNode,
  drainNode,
  gcBlacklistNode,
  gcWhitelistNode,
  getRemoval,
  listGcBlacklist,
  listNodes,
  undrainNode,
  whitelistNode,
} from "../../../protocol/api/nodes.ts";
import { serve } from "./call.ts";

export const nodeOperations = [
  serve(listNodes, async ({ master }) => ({ nodes: await master.nodeInfo() })),
  serve(blacklistNode, ({ master, params }) => master.blacklist(params.name)),
  serve(whitelistNode, ({ master, params }) => master.whitelist(params.name)),
  serve(drainNode, ({ master, params }) => master.drain(params.name)),
  serve(undrainNode, ({ master, params }) => master.undrain(params.name)),
  serve(getRemoval, ({ master, params }) => master.removal(params.name)),
  serve(gcBlacklistNode, ({ master, params }) => master.gcBlacklistNode(params.name)),
  serve(gcWhitelistNode, ({ master, params }) => master.gcWhitelistNode(params.name)),
  serve(listGcBlacklist, async ({ master }) => ({ nodes: await master.gcBlacklist() })),
];
