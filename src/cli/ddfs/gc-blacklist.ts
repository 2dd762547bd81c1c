/**
 * `ddfs gc blacklist` and `whitelist`: nodes that are to be taken away for good. They get no new blobs, and each run of garbage collection
 * copies to others what only they have; when nothing of them is missed any more, they are safe to remove.
 */
import type { DdfsApi } from "../../client/ddfs/ddfs-api.ts";
import type { MasterApi } from "../../client/master-api.ts";
import { nearestName } from "../../client/nearest-name.ts";
import { DiscoError } from "../../errors.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { formatCount } from "../progress/quantity.ts";
import { type StoreOptions, withDdfs } from "./open-ddfs.ts";

/** A node of the list. */
export interface LeavingNode {
  readonly node: string;
  /** It may be taken away now. */
  readonly safe: boolean;
  /** Tags that name blobs which it has. */
  readonly tags: number;
}

type Lists = Pick<MasterApi, "gcBlacklist" | "gcBlacklistNode" | "gcWhitelistNode">;

/** Without names: prints the list. */
export async function changeGcList(
  list: "blacklist" | "whitelist",
  names: readonly string[],
  options: StoreOptions & { readonly force?: boolean },
): Promise<void> {
  await withDdfs(options, async ({ api, disco }) => {
    const master: Lists = await disco.master();
    if (names.length > 0 && options.force !== true) await assertKnown(api, master, names);
    for (const name of names)
      await (list === "blacklist" ? master.gcBlacklistNode(name) : master.gcWhitelistNode(name));
    const leaving = await leavingNodes(api, master);
    if (options.json === true) printJson(leaving);
    else if (leaving.length === 0) process.stderr.write("no node is to be removed\n");
    else printLines(leaving.map(sentenceOf));
  });
}

export async function leavingNodes(api: DdfsApi, master: Lists): Promise<LeavingNode[]> {
  const [nodes, safe] = await Promise.all([master.gcBlacklist(), api.safeGcBlacklist()]);
  const leaving: LeavingNode[] = [];
  for (const node of [...nodes].sort())
    leaving.push({ node, safe: safe.includes(node), tags: (await api.hostedTags(node)).length });
  return leaving;
}

export function sentenceOf({ node, safe, tags }: LeavingNode): string {
  if (safe) return `${node} can be taken away`;
  const named = `${formatCount(tags)} ${tags === 1 ? "tag names" : "tags name"} blobs that it has`;
  return `${node} cannot be taken away yet: ${tags === 0 ? "garbage collection has not confirmed it" : named}`;
}

async function assertKnown(api: DdfsApi, master: Lists, names: readonly string[]): Promise<void> {
  const known = new Set([...(await api.space()).map(({ host }) => host), ...(await master.gcBlacklist())]);
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return;
  const meant = nearestName(unknown, known);
  throw new DiscoError(`there is no node ${unknown}`, {
    code: "unknown-node",
    node: unknown,
    hint:
      meant === undefined
        ? `The nodes are ${[...known].join(", ")}; --force names one that has gone already.`
        : `Did you mean ${meant}?`,
  });
}
