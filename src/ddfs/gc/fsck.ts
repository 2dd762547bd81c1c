/** Compares what tags name with what nodes have, and changes nothing. */
import type { FsckFinding, NodeSpace } from "../../client/ddfs/ddfs-api.ts";
import { planGc } from "../../core/ddfs/gc.ts";
import { tagOf } from "../../core/ddfs/names.ts";
import type { Tags } from "../../core/ddfs/tags.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import { type Listing, listHosts } from "./listings.ts";
import type { NodeCalls } from "./node-calls.ts";
import { isIn, objectsInTags, type Part, partsOf, turn } from "./objects-in-tags.ts";

export interface FsckParts {
  readonly tags: Tags;
  readonly gcBlacklist: ReadonlySet<string>;
  readonly calls: NodeCalls;
  readonly spaces: () => Promise<readonly NodeSpace[]>;
  readonly replicas: (nodes: number) => number;
  readonly graceMs: number;
  readonly now: () => number;
  /** Blobs that nodes found damaged, and set aside. */
  readonly damaged: () => Promise<readonly { readonly host: string; readonly object: string }[]>;
  readonly signal: AbortSignal;
}

/** Lines of tags that are read in one turn of the event loop. */
const linesPerTurn = 1_000;

/** @throws the signal's reason */
export async function* fsck(parts: FsckParts): AsyncGenerator<FsckFinding, void, undefined> {
  yield* brokenLinks(parts);
  for (const part of partsOf(parts.tags)) yield* partOf(parts, part);
  for (const { host, object } of await parts.damaged()) {
    const message = `${object} was damaged on ${host}, and is kept aside there.`;
    yield { kind: "damaged", tag: null, object, replicas: 0, wanted: 0, message };
  }
}

async function* brokenLinks({ tags, signal }: FsckParts): AsyncGenerator<FsckFinding, void, undefined> {
  let read = 0;
  for (const { name, urls } of [...tags.all()]) {
    for (const line of urls.lines()) {
      if (++read % linesPerTurn === 0) await turn(signal);
      const target = line.startsWith("tag://") ? tagOf(line.split("\t", 1)[0] ?? "") : null;
      if (target === null || tags.tag(target) !== undefined) continue;
      const message = `${name} links to ${target}, and there is no such tag.`;
      yield { kind: "broken-link", tag: name, object: target, replicas: 0, wanted: 0, message };
    }
  }
}

async function* partOf(parts: FsckParts, part: Part): AsyncGenerator<FsckFinding, void, undefined> {
  const { tags, gcBlacklist, calls, replicas, graceMs, now, signal } = parts;
  const named = await objectsInTags(tags, part, signal);
  const spaces = await parts.spaces();
  const known = new Set(spaces.map(({ host }) => host));
  const connected = spaces.flatMap(({ host, connected: is }) => (is ? [host] : []));
  const listings: ReadonlyMap<string, Listing> = await listHosts(
    new Set([...known, ...named.hosts]),
    (host) => gcBlacklist.has(host),
    { calls, connected: () => connected, cluster: tags.cluster, part, signal },
  );
  const condemned = new Set([...tags.condemned()].filter((object) => isIn(part, object)));
  const wanted = Math.min(replicas(spaces.length), Math.max(1, spaces.length - gcBlacklist.size));
  const plan = planGc({
    named: named.urls,
    hosts: listings,
    replicas: wanted,
    condemned,
    now: now(),
    graceMs,
    since: tags.namedAt,
    addressOf: replicaAddress,
  });
  const of = function* (
    object: string,
    finding: Omit<FsckFinding, "tag" | "object" | "wanted">,
  ): Generator<FsckFinding> {
    for (const tag of named.tags.get(object) ?? [null]) yield { ...finding, object, tag, wanted };
  };
  for (const object of plan.lost)
    yield* of(object, { kind: "lost", replicas: 0, message: `${object} is on no node any more.` });
  for (const object of plan.unseen) {
    const message = `${object} is on no node that has listed its blobs; those that are away may have it.`;
    yield* of(object, { kind: "under-replicated", replicas: 0, message });
  }
  for (const { object, present } of plan.copies) {
    const message = `${object} has ${present} of ${wanted} replicas.`;
    yield* of(object, { kind: "under-replicated", replicas: present, message });
  }
  for (const { object, files } of [...plan.condemned, ...plan.remains]) {
    const message = `No tag names ${object}: the next collection deletes it.`;
    yield { kind: "orphan", tag: null, object, replicas: files.length, wanted: 0, message };
  }
  for (const host of named.hosts) {
    if (known.has(host)) continue;
    const message = `Tags mention ${host}, which is no node of this cluster. If it will not come back: disco gc_blacklist.`;
    yield { kind: "unknown-node", tag: null, object: host, replicas: 0, wanted: 0, message };
  }
}
