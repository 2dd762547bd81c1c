/**
 * Makes replicas: the most urgent first, so many at once and no more on one node, so that jobs keep most of disks and network. A node
 * fetches the blob from another one and checks it; then the tags that name it are told, several blobs in one record.
 *
 * RC1. A copy that is not in the tags yet (the master ended in between) is not lost: the next run finds it and adds it (GC4).
 */
import type { NodeSpace } from "../../client/ddfs/ddfs-api.ts";
import type { ReplicaChange } from "../../core/ddfs/events.ts";
import type { Copy } from "../../core/ddfs/gc.ts";
import { parseBlobAddress } from "../../core/ddfs/names.ts";
import { placeReplicas } from "../../core/ddfs/placement.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import type { Decider } from "../decider.ts";
import type { NodeCalls } from "./node-calls.ts";

export interface CopierParts {
  readonly decider: Decider;
  readonly calls: NodeCalls;
  readonly spaces: () => Promise<readonly NodeSpace[]>;
  readonly reserveBytes: number;
  readonly now: () => number;
  /** Tags that name the object, as far as they are known; `undefined`: any may. */
  readonly tagsOf: (object: string) => readonly string[] | undefined;
  readonly signal: AbortSignal;
  readonly done?: () => void;
}

export interface Copied {
  replicas: number;
  /** Copies that could not be made, and why the last of them. */
  failed: number;
  why: string | null;
}

/** Copies that a node makes at once, and that all do. */
const copiesPerNode = 2;
const copiesMax = 32;
/** Nodes that are tried for one replica. */
const triesMax = 3;
/** Replicas that were made are recorded when there are so many, or at the end. */
const changesPerRecord = 200;

/** @throws the signal's reason, and what keeps the master from recording */
export async function makeCopies(copies: Iterable<Copy>, parts: CopierParts): Promise<Copied> {
  const copied: Copied = { replicas: 0, failed: 0, why: null };
  const busy = new Busy();
  const made: ReplicaChange[] = [];
  const queue = copies[Symbol.iterator]();
  const spaces = await parts.spaces();
  const takers = spaces.filter((space) => takes(space)).length;
  const worker = async (turn: number): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      parts.signal.throwIfAborted();
      const change = await makeCopy(next.value, parts, { busy, copied, turn });
      if (change !== null) made.push(change);
      if (made.length >= changesPerRecord) await record(made, parts);
      parts.done?.();
    }
  };
  const workers = Math.max(1, Math.min(copiesMax, takers * copiesPerNode));
  try {
    await Promise.all(Array.from({ length: workers }, (_, i) => worker(i)));
  } finally {
    // What is there is told, whatever became of the rest.
    if (!parts.signal.aborted) await record(made, parts);
  }
  return copied;
}

interface Making {
  readonly busy: Busy;
  readonly copied: Copied;
  readonly turn: number;
}

/** Copies under way, by node. */
class Busy {
  readonly #copies = new Map<string, number>();
  #changed = Promise.withResolvers<void>();

  isFull(host: string): boolean {
    return (this.#copies.get(host) ?? 0) >= copiesPerNode;
  }

  add(host: string, copies: number): void {
    this.#copies.set(host, (this.#copies.get(host) ?? 0) + copies);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  changed(): Promise<void> {
    return this.#changed.promise;
  }
}

/** What is new of the blob; `null`: nothing. */
async function makeCopy(copy: Copy, parts: CopierParts, { busy, copied, turn }: Making): Promise<ReplicaChange | null> {
  const { calls, reserveBytes, signal } = parts;
  const { object, sources, digest, size } = copy;
  const add: string[] = [];
  const tried = new Set(copy.taken);
  for (let missing = copy.missing, tries = 0; missing > 0; ) {
    const places = (await parts.spaces()).map((space) => ({
      host: space.host,
      freeBytes: roomOf(space),
      // Only where all of it fits.
      takes: takes(space) && roomOf(space) > size,
    }));
    const idle = places.filter((place) => !busy.isFull(place.host));
    const wanted = { replicas: 1, exclude: [...tried], turn, reserveBytes };
    const [host] = placeReplicas(idle, wanted);
    if (host === undefined && placeReplicas(places, wanted).length > 0) {
      await busy.changed();
      signal.throwIfAborted();
      continue;
    }
    if (host === undefined) {
      copied.failed += missing;
      copied.why ??= `no other node has room for ${object}`;
      break;
    }
    tried.add(host);
    busy.add(host, 1);
    try {
      const from = sources.filter((url) => parseBlobAddress(url)?.host !== host);
      const stored = await calls.copy(host, { object, sources: from, digest: digest === "" ? null : digest }, size);
      add.push(replicaAddress(host, stored.volume, object));
      copied.replicas++;
      missing--;
    } catch (error) {
      signal.throwIfAborted();
      copied.why = `${host} could not copy ${object}: ${(error as Error).message}`;
      if (++tries >= triesMax) {
        copied.failed += missing;
        break;
      }
    } finally {
      busy.add(host, -1);
    }
  }
  return add.length === 0 ? null : { object, add, drop: [] };
}

async function record(made: ReplicaChange[], parts: CopierParts): Promise<void> {
  if (made.length === 0) return;
  await recordChanges(parts.decider, made.splice(0), parts.tagsOf, parts.now);
}

/** Records what is new of replicas, in the tags that name them. */
export async function recordChanges(
  decider: Decider,
  changes: readonly ReplicaChange[],
  tagsOf: (object: string) => readonly string[] | undefined,
  now: () => number,
): Promise<void> {
  for (let i = 0; i < changes.length; i += changesPerRecord) {
    const some = changes.slice(i, i + changesPerRecord);
    const tags = new Set<string>();
    let areKnown = true;
    for (const { object } of some) {
      const its = tagsOf(object);
      if (its === undefined) areKnown = false;
      for (const tag of its ?? []) tags.add(tag);
    }
    const named = areKnown ? { tags: [...tags] } : {};
    decider.record([{ kind: "replicas-changed", at: now(), changes: some, ...named }]);
    await decider.committed();
  }
}

function takes({ connected, leaving, volumes }: NodeSpace): boolean {
  return connected && !leaving && volumes.some(({ trouble }) => trouble === null);
}

function roomOf({ volumes }: NodeSpace): number {
  return Math.max(0, ...volumes.flatMap(({ trouble, freeBytes }) => (trouble === null ? [freeBytes] : [])));
}
