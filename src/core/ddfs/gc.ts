/**
 * Garbage collection and re-replication of blobs, as a plan over what tags name and what nodes list. It decides on one part of all
 * objects at a time (those whose address has the same HH, say): parts are independent, and a part fits into memory.
 *
 * ```
 *   named by a tag   file on    then
 *   no               some node  condemned, when old enough and everybody has listed                    (Disco: GC3)
 *   yes              >= 1 node  files that tags do not mention are added to the tags                   (GC4)
 *   yes              < K nodes  copied to others, those with fewest replicas first                     (RR1, RR2)
 *   yes              > K+1      files that tags do not mention are given up, when old enough
 *   yes              no node    lost, if everybody has listed; else somebody is waited for
 *   yes              leaving    mentions of replicas there are given up when K others are proven       (node removal)
 *   condemned        no node    gone, if everybody has listed
 * ```
 * GP1. Nothing that a tag names is condemned, and no line of a tag loses its last proven replica.
 * GP2. Nothing is condemned, and nothing counts as gone, on an incomplete listing: every node that tags mention, or that is part of the
 *      cluster, has to have listed all. A node that is being removed and does not answer is not waited for. A mention of a replica is
 *      given up as missing only where its own node has listed all.
 * GP3. What is younger than the grace period by its name, or by the clock of any node that has it, is left alone: its tag may be on its way.
 * GP4. What tags name is read before nodes are asked: a replica that is mentioned, and missing in a listing, was not put there since.
 *      Whoever carries the plan out leaves alone what was named since (`Tags.watch`).
 * GP5. A blob stays condemned until a later run has found that nobody has it. So no tag ever names one whose deletion is under way
 *      somewhere, also if the one who ordered it is not the master any more.
 */
import type { ReplicaChange } from "./events.ts";
import { parseBlobAddress, partsOfObject } from "./names.ts";

/** A file of a node, as it listed it. */
export interface ListedBlob {
  readonly object: string;
  readonly volume: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970, by the node's clock. */
  readonly storedAt: number;
  readonly digest: string;
}

export interface HostView {
  /** Its files of this part, as far as it has listed them. */
  readonly files: readonly ListedBlob[];
  /** None was left out. `false`: it is away, did not list to the end, or a volume of it cannot be read. */
  readonly isComplete: boolean;
  /** On the GC blacklist: to be emptied. */
  readonly isLeaving: boolean;
}

export interface GcView {
  /** Objects of this part that tags name, with all addresses by which they do. */
  readonly named: ReadonlyMap<string, readonly string[]>;
  /** All nodes of the cluster, and all that tags mention. */
  readonly hosts: ReadonlyMap<string, HostView>;
  /** Replicas that each blob is to have. */
  readonly replicas: number;
  /** Objects of this part that were condemned before. */
  readonly condemned: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What is younger is left alone (GP3). Milliseconds. */
  readonly graceMs: number;
  /** Since when the journal is this cluster's: it does not know what was named before. Milliseconds since 1970. */
  readonly since: number;
  /** Writes an address. */
  readonly addressOf: (host: string, volume: string, object: string) => string;
}

export interface FileOf {
  readonly host: string;
  readonly volume: string;
}

export interface Condemned {
  readonly object: string;
  readonly size: number;
  readonly files: readonly FileOf[];
}

export interface Copy {
  readonly object: string;
  readonly size: number;
  readonly digest: string;
  /** Addresses of what there is, those that stay first. */
  readonly sources: readonly string[];
  /** Nodes that have it, or are about to lose it: none of these gets the copy. */
  readonly taken: readonly string[];
  /** Replicas that count, and how many are to be made. */
  readonly present: number;
  readonly missing: number;
}

export interface GcPlan {
  readonly condemned: readonly Condemned[];
  /** The most urgent first. */
  readonly copies: readonly Copy[];
  readonly changes: readonly ReplicaChange[];
  /** Of those condemned before: files that are still there, to be deleted. */
  readonly remains: readonly Condemned[];
  /** Of those condemned before: nobody has them. */
  readonly gone: readonly string[];
  /** Files that no tag mentions, of blobs of which there are more than enough. */
  readonly surplus: readonly (FileOf & { readonly object: string })[];
  /** Named, and nowhere: gone. */
  readonly lost: readonly string[];
  /** Named, and on no node that has listed: whoever is away may have it. */
  readonly unseen: readonly string[];
  /** Nodes that keep condemnations from being decided. */
  readonly waitsFor: readonly string[];
  /** Of leaving nodes: objects that still need them. */
  readonly needed: ReadonlyMap<string, number>;
  readonly kept: readonly [files: number, bytes: number];
}

/** Replicas above K that are no reason to delete any: nodes come and go. */
export const spareReplicas = 1;

interface Found extends FileOf {
  readonly blob: ListedBlob;
  readonly isLeaving: boolean;
}

interface Draft {
  readonly copies: Copy[];
  readonly changes: ReplicaChange[];
  readonly surplus: (FileOf & { object: string })[];
  readonly needed: Map<string, number>;
}

export function planGc(view: GcView): GcPlan {
  const { named, hosts } = view;
  const waitsFor = [...hosts].flatMap(([host, { isComplete, isLeaving }]) => (isComplete || isLeaving ? [] : [host]));
  const allListed = [...hosts.values()].every(({ isComplete }) => isComplete);
  const found = filesOf(hosts);
  const draft: Draft = { copies: [], changes: [], surplus: [], needed: new Map() };
  const lost: string[] = [];
  const unseen: string[] = [];
  let files = 0;
  let bytes = 0;
  for (const [object, urls] of named) {
    const here = found.get(object) ?? [];
    files += here.length;
    for (const { blob } of here) bytes += blob.size;
    if (here.length > 0) {
      planNamed(view, object, urls, here, draft);
      continue;
    }
    (allListed ? lost : unseen).push(object);
    const perhaps = [...hosts].flatMap(([host, at]) => (at.isLeaving && !at.isComplete ? [host] : []));
    for (const host of new Set([...leavingHosts(urls, hosts), ...perhaps])) need(draft.needed, host);
  }
  const condemned = waitsFor.length === 0 ? condemn(view, found) : [];
  const isOver = new Set([...condemned.map(({ object }) => object), ...view.condemned]);
  for (const [object, its] of found) {
    // Its tag may be on its way, and count on this replica.
    if (named.has(object) || isOver.has(object)) continue;
    for (const host of new Set(its.flatMap((file) => (file.isLeaving ? [file.host] : [])))) need(draft.needed, host);
  }
  draft.copies.sort((a, b) => a.present - b.present || (a.object < b.object ? -1 : 1));
  return {
    ...draft,
    condemned,
    remains: [...view.condemned].flatMap((object) => {
      const its = named.has(object) ? undefined : found.get(object);
      return its === undefined ? [] : [condemnedOf(object, its)];
    }),
    gone: waitsFor.length === 0 ? [...view.condemned].filter((object) => !found.has(object)) : [],
    lost,
    unseen,
    waitsFor,
    kept: [files, bytes],
  };
}

function planNamed(view: GcView, object: string, urls: readonly string[], here: readonly Found[], draft: Draft): void {
  const { hosts, addressOf } = view;
  const staying = here.filter(({ isLeaving }) => !isLeaving);
  const onHosts = new Set(staying.map(({ host }) => host));
  const wanted = wantedOf(view);
  const surplus = surplusOf(view, object, urls, staying);
  const addresses = new Map(here.map((file) => [addressOf(file.host, file.volume, object), file]));
  const mentioned = new Set([...addresses].flatMap(([url, { host }]) => (urls.includes(url) ? [host] : [])));
  const add: string[] = [];
  for (const [url, file] of addresses) {
    // One a node: a second file of it is not mentioned, and goes some day.
    if (mentioned.has(file.host) || file.isLeaving || surplus.includes(file)) continue;
    mentioned.add(file.host);
    add.push(url);
  }
  const drop: string[] = [];
  for (const url of urls) {
    const host = hosts.get(parseBlobAddress(url)?.host ?? "");
    if (host === undefined) continue;
    // Others are proven (GP1), or it stays as the last hint.
    const isThere = addresses.has(url);
    if (!isThere && host.isComplete && onHosts.size > 0) drop.push(url);
    else if (host.isLeaving && onHosts.size >= wanted) drop.push(url);
  }
  // Lines of several tags may mention different replicas: one that loses its last one is to have another.
  if (drop.length > 0) {
    for (const [url, { isLeaving }] of addresses)
      if (!isLeaving && urls.includes(url) && !drop.includes(url)) add.push(url);
  }
  for (const { host, volume } of surplus) draft.surplus.push({ object, host, volume });
  if (add.length > 0 || drop.length > 0) draft.changes.push({ object, add, drop });
  if (onHosts.size >= wanted) return;
  const leaving = here.filter(({ isLeaving }) => isLeaving);
  const sources = [...staying, ...leaving];
  draft.copies.push({
    object,
    size: sources[0]?.blob.size ?? 0,
    digest: sources[0]?.blob.digest ?? "",
    sources: sources.map(({ host, volume }) => addressOf(host, volume, object)),
    taken: [...new Set(here.map(({ host }) => host))],
    present: onHosts.size,
    missing: wanted - onHosts.size,
  });
  for (const host of new Set([...leavingHosts(urls, hosts), ...leaving.map(({ host }) => host)]))
    need(draft.needed, host);
}

/**
 * Replicas on nodes that stay. Not more than there are nodes; those that are away count, as a blob is not safe because the others
 * of a cluster have stopped.
 */
function wantedOf({ replicas, hosts }: GcView): number {
  const staying = [...hosts.values()].filter(({ isLeaving }) => !isLeaving).length;
  return Math.min(replicas, Math.max(1, staying));
}

/**
 * Files that no tag mentions, while enough others that tags do mention were listed on other nodes: left by a copy that was thought
 * to be needed; or on the same node, beside enough. Only those that are old enough to be meant (GP3). What somebody asked for beyond
 * K is mentioned, and stays.
 */
function surplusOf(view: GcView, object: string, urls: readonly string[], staying: readonly Found[]): Found[] {
  const { replicas, addressOf, now, graceMs } = view;
  const before = now - graceMs;
  if ((partsOfObject(object)?.micros ?? Number.POSITIVE_INFINITY) / 1000 >= before) return [];
  const isMentioned = ({ host, volume }: Found): boolean => urls.includes(addressOf(host, volume, object));
  const mentioned = new Set(staying.filter(isMentioned).map(({ host }) => host));
  return staying.filter((file) => {
    if (isMentioned(file) || file.blob.storedAt >= before) return false;
    return mentioned.size >= (mentioned.has(file.host) ? replicas : replicas + spareReplicas);
  });
}

function condemn(view: GcView, found: ReadonlyMap<string, readonly Found[]>): Condemned[] {
  const before = view.now - view.graceMs;
  const condemned: Condemned[] = [];
  if (view.since >= before && view.since > 0) return condemned;
  for (const [object, files] of found) {
    if (view.named.has(object) || view.condemned.has(object)) continue;
    const born = partsOfObject(object);
    if (born === null || born.micros / 1000 >= before) continue;
    if (files.some(({ blob }) => blob.storedAt >= before)) continue;
    condemned.push(condemnedOf(object, files));
  }
  return condemned;
}

function condemnedOf(object: string, files: readonly Found[]): Condemned {
  const size = files[0]?.blob.size ?? 0;
  return { object, size, files: files.map(({ host, volume }) => ({ host, volume })) };
}

/** By object, in the order of hosts and volumes, so that a plan is the same whoever makes it. */
function filesOf(hosts: GcView["hosts"]): Map<string, Found[]> {
  const found = new Map<string, Found[]>();
  for (const [host, { files, isLeaving }] of [...hosts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const blob of files) {
      const file = { host, volume: blob.volume, blob, isLeaving };
      const its = found.get(blob.object);
      if (its === undefined) found.set(blob.object, [file]);
      else its.push(file);
    }
  }
  return found;
}

function leavingHosts(urls: readonly string[], hosts: GcView["hosts"]): string[] {
  return urls.flatMap((url) => {
    const host = parseBlobAddress(url)?.host;
    return host !== undefined && hosts.get(host)?.isLeaving === true ? [host] : [];
  });
}

function need(needed: Map<string, number>, host: string): void {
  needed.set(host, (needed.get(host) ?? 0) + 1);
}
