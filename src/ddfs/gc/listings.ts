/** What nodes have, as they list it page by page. Who does not answer, or cannot read a volume, has listed a part of it: no more. */
import type { HostView, ListedBlob } from "../../core/ddfs/gc.ts";
import type { ListBlobs } from "../../protocol/ddfs/messages.ts";
import type { NodeCalls } from "./node-calls.ts";
import { isIn, type Part } from "./objects-in-tags.ts";

export interface ListingParts {
  readonly calls: NodeCalls;
  /** Nodes that are there. */
  readonly connected: () => readonly string[];
  /** Id of the cluster; blobs of another one are nobody's business here. */
  readonly cluster: string | null;
  readonly gc?: number;
  readonly part: Part;
  readonly signal: AbortSignal;
  /** A node has listed, or will not. */
  readonly done?: () => void;
}

export interface Listing extends HostView {
  /** Why it is not complete; `null`: it is. */
  readonly why: string | null;
}

/** Tries that a page gets: a message may be lost. */
const pageTries = 2;

/** Of each of the hosts. @throws the signal's reason */
export async function listHosts(
  hosts: Iterable<string>,
  isLeaving: (host: string) => boolean,
  parts: ListingParts,
): Promise<Map<string, Listing>> {
  const there = new Set(parts.connected());
  const listed = await Promise.all(
    [...hosts].map(async (host): Promise<readonly [string, Listing]> => {
      const files: ListedBlob[] = [];
      const why = there.has(host) ? await listHost(host, parts, files) : `${host} is away`;
      parts.done?.();
      return [host, { files, isComplete: why === null, isLeaving: isLeaving(host), why }];
    }),
  );
  parts.signal.throwIfAborted();
  return new Map(listed);
}

/** Adds to `files` what there is; returns why that is not all. */
async function listHost(host: string, parts: ListingParts, files: ListedBlob[]): Promise<string | null> {
  const { cluster, part, signal } = parts;
  let after: ListBlobs["after"];
  let isHalf = false;
  try {
    for (;;) {
      const page = await pageOf(host, parts, after);
      signal.throwIfAborted();
      if (page.cluster !== null && cluster !== null && page.cluster !== cluster)
        return `${host} has blobs of another cluster (${page.cluster})`;
      for (const blob of page.blobs) if (isIn(part, blob.object)) files.push(blob);
      isHalf ||= page.incomplete;
      const last = page.blobs.at(-1);
      if (page.isLast) return isHalf ? `a volume of ${host} cannot be read` : null;
      if (last === undefined) return `${host} sent a page without blobs`;
      after = { volume: last.volume, object: last.object };
    }
  } catch (error) {
    return `${host} did not list its blobs: ${(error as Error).message}`;
  }
}

async function pageOf(
  host: string,
  { calls, gc, part }: ListingParts,
  after: ListBlobs["after"],
): ReturnType<NodeCalls["list"]> {
  const message = {
    ...(gc === undefined ? {} : { gc }),
    ...(part === null ? {} : { hashes: part }),
    ...(after === undefined ? {} : { after }),
  };
  for (let i = 1; ; i++) {
    try {
      return await calls.list(host, message);
    } catch (error) {
      if (i >= pageTries) throw error;
    }
  }
}
