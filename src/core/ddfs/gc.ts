/**
 * Garbage collection and re-replication of blobs, as a plan over what tags name and what nodes list. It decides on one part of all
 * objects at a time (those whose address has the same HH, say): parts are independent, and a part fits into memory.
 *
 * ```
 *   named by a tag   file on    then
 *   no               some node  condemned, when old enough and everybody has listed                    (Disco: GC3)
 *   yes              >= 1 node  files that tags do not mention are added to the tags                   (GC4)
 *   yes              < K nodes  copied to others, those with fewest replicas first                     (RR1, RR2)
 *   yes              no node    lost, if everybody has listed; else somebody is waited for
 *   yes              leaving    replicas there are given up when K others are proven                   (node removal)
 * ```
 * GP1. Nothing that a tag names is condemned, and no line of a tag loses its last proven replica.
 * GP2. Nothing is condemned, and no mention of a replica is given up as missing, on an incomplete listing: every node that tags
 *      mention, or that is part of the cluster, has to have listed all. A node that is being removed and does not answer is not waited for.
 * GP3. What is younger than the grace period by its name, or by the clock of any node that has it, is left alone: its tag may be on its way.
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
  /** All its files of this part, none left out; `null`: it did not list, or not all. */
  readonly listing: readonly ListedBlob[] | null;
  /** On the GC blacklist: to be emptied. */
  readonly leaving: boolean;
}

export interface GcView {
  /** Objects of this part that tags name, with all addresses by which they do. */
  readonly named: ReadonlyMap<string, readonly string[]>;
  /** All nodes of the cluster, and all that tags mention. */
  readonly hosts: ReadonlyMap<string, HostView>;
  /** Replicas that each blob is to have. */
  readonly replicas: number;
  /** Nodes that could take a copy. */
  readonly takers: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly graceMs: number;
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
  /** Files beyond what is wanted, of objects whose change drops them: to be deleted after it. */
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
const spareReplicas = 1;

interface Found extends FileOf {
  readonly blob: ListedBlob;
  readonly leaving: boolean;
}

export function planGc(view: GcView): GcPlan {
  const { named, hosts } = view;
  const waitsFor = [...hosts].flatMap(([host, { listing, leaving }]) => (listing === null && !leaving ? [host] : []));
  const found = filesOf(hosts);
  const draft = {
    condemned: waitsFor.length === 0 ? condemn(view, found) : [],
    copies: [] as Copy[],
    changes: [] as ReplicaChange[],
    surplus: [] as (FileOf & { object: string })[],
    lost: [] as string[],
    unseen: [] as string[],
    needed: new Map<string, number>(),
  };
  let files = 0;
  let bytes = 0;
  for (const [object, urls] of named) {
    const here = found.get(object) ?? [];
    files += here.length;
    for (const { blob } of here) bytes += blob.size;
    if (here.length === 0) {
      // Who is being removed and does not answer may be the only one that has it: it is lost all the same if it never comes.
      const away = urls.some((url) => {
        const host = parseBlobAddress(url)?.host;
        return host !== undefined && hosts.get(host)?.listing == null;
      });
      (away || waitsFor.length > 0 ? draft.unseen : draft.lost).push(object);
      for (const host of leavingHosts(urls, hosts)) need(draft.needed, host);
      continue;
    }
    planNamed(view, object, urls, here, draft);
  }
  draft.copies.sort((a, b) => a.present - b.present || (a.object < b.object ? -1 : 1));
  return { ...draft, waitsFor, kept: [files, bytes] };
}

type Draft = Pick<GcPlan, "needed"> & {
  copies: Copy[];
  changes: ReplicaChange[];
  surplus: (FileOf & { object: string })[];
  needed: Map<string, number>;
};

function planNamed(view: GcView, object: string, urls: readonly string[], here: readonly Found[], draft: Draft): void {
  const { hosts, takers, addressOf } = view;
  const staying = here.filter(({ leaving }) => !leaving);
  const onHosts = new Set(staying.map(({ host }) => host));
  const addresses = new Map(here.map((file) => [addressOf(file.host, file.volume, object), file]));
  const add = [...addresses].flatMap(([url, { leaving }]) => (urls.includes(url) || leaving ? [] : [url]));
  const drop: string[] = [];
  for (const url of urls) {
    const address = parseBlobAddress(url);
    if (address === null || addresses.has(url)) continue;
    // Its node has listed all of its files, and this is not among them; others are proven (GP1), or it stays as the last hint.
    if (hosts.get(address.host)?.listing != null && onHosts.size > 0) drop.push(url);
  }
  const wanted = Math.min(view.replicas, Math.max(1, takers));
  if (onHosts.size >= wanted) {
    for (const [url, { leaving }] of addresses) if (leaving && urls.includes(url)) drop.push(url);
    for (const url of urls) {
      const host = parseBlobAddress(url)?.host;
      const at = host === undefined ? undefined : hosts.get(host);
      if (at?.leaving === true && at.listing === null) drop.push(url);
    }
    for (const file of surplusOf(view, staying)) {
      drop.push(addressOf(file.host, file.volume, object));
      draft.surplus.push({ object, host: file.host, volume: file.volume });
    }
  } else {
    const sources = [...staying, ...here.filter(({ leaving }) => leaving)];
    const [best] = sources;
    if (best !== undefined) {
      draft.copies.push({
        object,
        size: best.blob.size,
        digest: best.blob.digest,
        sources: sources.map(({ host, volume }) => addressOf(host, volume, object)),
        taken: [...new Set(here.map(({ host }) => host))],
        present: onHosts.size,
        missing: wanted - onHosts.size,
      });
    }
    for (const host of new Set([
      ...leavingHosts(urls, hosts),
      ...here.filter(({ leaving }) => leaving).map(({ host }) => host),
    ]))
      need(draft.needed, host);
  }
  const dropped = [...new Set(drop)];
  const added = add.filter((url) => !dropped.includes(url));
  if (added.length > 0 || dropped.length > 0) draft.changes.push({ object, add: added, drop: dropped });
}

/** Second files on one node, and nodes beyond what is wanted: those that are old enough to be meant (GP3). */
function surplusOf({ replicas, now, graceMs }: GcView, staying: readonly Found[]): Found[] {
  const hosts = new Set<string>();
  const second: Found[] = [];
  const first: Found[] = [];
  for (const file of staying) {
    (hosts.has(file.host) ? second : first).push(file);
    hosts.add(file.host);
  }
  const surplus = [...second, ...first.slice(replicas + spareReplicas)];
  return surplus.filter(({ blob }) => blob.storedAt < now - graceMs);
}

function condemn({ named, now, graceMs }: GcView, found: ReadonlyMap<string, readonly Found[]>): Condemned[] {
  const before = now - graceMs;
  const condemned: Condemned[] = [];
  for (const [object, files] of found) {
    if (named.has(object)) continue;
    const born = partsOfObject(object);
    if (born === null || born.micros / 1000 >= before) continue;
    if (files.some(({ blob }) => blob.storedAt >= before)) continue;
    condemned.push({
      object,
      size: files[0]?.blob.size ?? 0,
      files: files.map(({ host, volume }) => ({ host, volume })),
    });
  }
  return condemned;
}

/** By object, in the order of hosts and volumes, so that a plan is the same whoever makes it. */
function filesOf(hosts: GcView["hosts"]): Map<string, Found[]> {
  const found = new Map<string, Found[]>();
  for (const [host, { listing, leaving }] of [...hosts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const blob of listing ?? []) {
      const file = { host, volume: blob.volume, blob, leaving };
      const files = found.get(blob.object);
      if (files === undefined) found.set(blob.object, [file]);
      else files.push(file);
    }
  }
  return found;
}

function leavingHosts(urls: readonly string[], hosts: GcView["hosts"]): string[] {
  return urls.flatMap((url) => {
    const host = parseBlobAddress(url)?.host;
    return host !== undefined && hosts.get(host)?.leaving === true ? [host] : [];
  });
}

function need(needed: Map<string, number>, host: string): void {
  needed.set(host, (needed.get(host) ?? 0) + 1);
}
