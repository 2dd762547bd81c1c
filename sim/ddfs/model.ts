/**
 * A model of DDFS for exhaustive search: three nodes, two tags, three blobs, clients, a master that may lose its office while its messages
 * are under way. What decides is the real thing (`planGc`, `Tags`); around it is the order of steps of `src/ddfs/gc/gc-run.ts`, one
 * transition each, so that anything may happen between any two of them.
 *
 * Messages are delivered in any order, at any time, or never. Nodes fence them by epoch and by the number of the collection.
 */
import { type GcPlan, type HostView, type ListedBlob, planGc } from "../../src/core/ddfs/gc.ts";
import { objectOf, parseBlobAddress } from "../../src/core/ddfs/names.ts";
import { Tags } from "../../src/core/ddfs/tags.ts";
import { objectsOfLine } from "../../src/core/ddfs/url-lists.ts";
import { DiscoError } from "../../src/errors.ts";

export const hosts = ["a", "b", "c"] as const;
export const blobs = ["x", "y", "z"].map((name) => objectOf(name, 1));
export const graceMs = 1_000;
/** What was there before is older than the grace period, a tick later. */
export const tickMs = 2_000;

/** What may happen in a search, each at most once or so often. */
export interface Scenario {
  readonly replicas: number;
  /** Clients store blobs: index of the blob, of the node. */
  readonly puts: readonly (readonly [blob: number, host: number])[];
  /** They tag blobs with what they have stored on these nodes. */
  readonly links: readonly { readonly tag: string; readonly blob: number; readonly on: readonly number[] }[];
  readonly deletes: readonly string[];
  /** Nodes that may go down and come back. */
  readonly downs: readonly number[];
  /** Nodes that may lose their disk. */
  readonly losses: readonly number[];
  /** Nodes that are to be removed, and are when that is said to be safe. */
  readonly leaving: readonly number[];
  readonly ticks: number;
  readonly runs: number;
  readonly takeovers: number;
}

/** Safeguards that can be left out, to see that the search notices. */
export type Bug =
  | "no grace"
  | "condemns on half a listing"
  | "no second look before the record"
  | "lists before it reads tags"
  | "tags may name condemned blobs"
  | "forgets condemned blobs at once"
  | "no fence of collections"
  | "listing raises no fence"
  | "deletes before the record"
  | "drops mentions of who did not list"
  | "forgets what was just pushed to a leaving node"
  | "surplus counts files that nobody mentions";

export interface Run {
  readonly gc: number;
  readonly step: "scan" | "list" | "record" | "change" | "send" | "end";
  /** Tags that were read, nodes that were asked. */
  readonly done: number;
  /** Address by object, as read. */
  readonly named: readonly string[];
  /** Blobs named since the run began. */
  readonly watch: readonly number[];
  readonly listings: readonly (readonly number[] | null)[];
  readonly before: readonly number[];
  readonly leaving: readonly number[];
  readonly losses: number;
  readonly plan: GcPlan | null;
  readonly condemned: readonly number[];
}

export type Message =
  | {
      readonly kind: "delete";
      readonly epoch: number;
      readonly gc: number;
      readonly host: number;
      readonly blob: number;
      /** Disks that were lost when it was decided. */
      readonly losses: number;
      readonly isSurplus: boolean;
    }
  | {
      readonly kind: "copy";
      readonly epoch: number;
      readonly host: number;
      readonly blob: number;
      readonly from: string;
    }
  | { readonly kind: "copied"; readonly epoch: number; readonly host: number; readonly blob: number };

export interface State {
  readonly now: number;
  readonly up: readonly boolean[];
  readonly removed: readonly number[];
  /** By node and blob: when it was stored; -1: it is not there. */
  readonly files: readonly (readonly number[])[];
  readonly fences: readonly (readonly [epoch: number, gc: number])[];
  readonly tags: Tags;
  /** By blob: when it was first stored; -1: never. */
  readonly pushed: readonly number[];
  /** What has happened of the scenario. */
  readonly did: readonly string[];
  readonly losses: number;
  readonly takeovers: number;
  readonly leaving: readonly number[];
  readonly safe: readonly number[];
  readonly epoch: number;
  readonly run: Run | null;
  readonly runs: number;
  readonly flight: readonly Message[];
  /** Blobs that are gone for a reason that is not ours. */
  readonly excused: readonly number[];
}

export function begin(): State {
  return {
    now: 0,
    up: [true, true, true],
    removed: [],
    files: hosts.map(() => blobs.map(() => -1)),
    fences: hosts.map(() => [1, 0] as const),
    tags: new Tags(),
    pushed: blobs.map(() => -1),
    did: [],
    losses: 0,
    takeovers: 0,
    leaving: [],
    safe: [],
    epoch: 1,
    run: null,
    runs: 0,
    flight: [],
    excused: [],
  };
}

export function addressOf(host: string, _volume: string, object: string): string {
  return `disco://${host}/ddfs/vol0/blob/00/${object}`;
}

export function address(host: number, blob: number): string {
  return addressOf(hosts[host] ?? "", "vol0", blobs[blob] ?? "");
}

export function indexOf(object: string): number {
  return blobs.indexOf(object);
}

export function hostOf(url: string): number {
  return hosts.indexOf((parseBlobAddress(url)?.host ?? "") as (typeof hosts)[number]);
}

/** A changed copy: tags are shared between states, and never changed. */
export function changed(tags: Tags, change: (copy: Tags) => void): Tags {
  const copy = Tags.restore(tags.save());
  change(copy);
  return copy;
}

/** `null`: the core refuses. */
export function linked(tags: Tags, tag: string, urls: string): Tags | null {
  try {
    return changed(tags, (copy) =>
      copy.handle({ kind: "tag-changed", at: 0, tag, id: `${tag}$0-0-0`, change: { kind: "link", urls } }),
    );
  } catch (error) {
    if (error instanceof DiscoError && error.code === "blob-condemned") return null;
    throw error;
  }
}

/** Blobs that tags name, with the addresses. */
export function mentions(tags: Tags): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const tag of tags.all()) {
    for (const line of tag.urls.lines()) {
      for (const object of objectsOfLine(line)) {
        const its = found.get(indexOf(object)) ?? [];
        found.set(indexOf(object), [...new Set([...its, ...line.split("\t")])]);
      }
    }
  }
  return found;
}

export function holders(state: State, blob: number): number[] {
  return state.files.flatMap((files, host) => ((files[blob] ?? -1) >= 0 ? [host] : []));
}

/** The plan of the real core, on what the run has seen. */
export function planOf(state: State, run: Run, { replicas }: Scenario, bug: Bug | null): GcPlan {
  const views = new Map<string, HostView>();
  for (const [host, name] of hosts.entries()) {
    const listing = run.listings[host];
    const isLeaving = run.leaving.includes(host);
    if (listing == null && state.removed.includes(host) && !run.named.some((url) => hostOf(url) === host)) continue;
    const isComplete = listing != null || bug === "drops mentions of who did not list";
    const files = filesOf(listing ?? []).filter(
      ({ object }) => bug !== "forgets what was just pushed to a leaving node" || !isLeaving || isNamed(run, object),
    );
    views.set(name, { files, isComplete, isLeaving });
  }
  const named = new Map<string, string[]>();
  for (const url of run.named) {
    const object = parseBlobAddress(url)?.object ?? "";
    named.set(object, [...(named.get(object) ?? []), url]);
  }
  const view = {
    named,
    hosts: views,
    replicas,
    since: 0,
    condemned: new Set(run.before.map((blob) => blobs[blob] ?? "")),
  };
  const plan = planGc({ ...view, now: state.now, graceMs: bug === "no grace" ? -1 : graceMs, addressOf });
  if (bug === "condemns on half a listing") {
    const all = new Map([...views].map(([name, host]) => [name, { ...host, isComplete: true }] as const));
    const half = planGc({ ...view, hosts: all, now: state.now, graceMs, addressOf });
    return { ...plan, condemned: half.condemned, gone: half.gone };
  }
  if (bug === "surplus counts files that nobody mentions") {
    const every = new Map(
      [...named].map(([object]) => [
        object,
        hosts.flatMap((name, host) => (run.listings[host] != null ? [addressOf(name, "vol0", object)] : [])),
      ]),
    );
    const surplus = [...every].flatMap(([object, urls]) =>
      urls
        .filter((url) => (run.listings[hostOf(url)]?.[indexOf(object)] ?? -1) >= 0)
        .slice(replicas)
        .map((url) => ({ object, host: hosts[hostOf(url)] ?? "", volume: "vol0" })),
    );
    return { ...plan, surplus };
  }
  return plan;
}

function isNamed({ named }: Run, object: string): boolean {
  return named.some((url) => parseBlobAddress(url)?.object === object);
}

function filesOf(listing: readonly number[]): ListedBlob[] {
  return listing.flatMap((storedAt, blob) =>
    storedAt < 0 ? [] : [{ object: blobs[blob] ?? "", volume: "vol0", size: 1, storedAt, digest: "d" }],
  );
}
