/**
 * Replicas that were found damaged: tags mention them no more, and another is made of one that is sound. A node that finds one sets it
 * aside before it tells, so that nobody reads it, and no node lists it.
 *
 * MD1. A mention is given up when another replica was seen on its node; the last one stays, and people are told.
 */
import type { ReplicaChange } from "../../core/ddfs/events.ts";
import type { Copy } from "../../core/ddfs/gc.ts";
import { parseBlobAddress } from "../../core/ddfs/names.ts";
import type { DamagedBlob } from "../../protocol/ddfs/messages.ts";
import type { NodeBlobs } from "../node-blobs.ts";
import { type CopierParts, makeCopies, recordChanges } from "./copier.ts";
import { objectsInTags } from "./objects-in-tags.ts";

export interface MenderParts extends Omit<CopierParts, "tagsOf" | "done" | "spaces"> {
  readonly nodes: Pick<NodeBlobs, "spaces" | "stat">;
  readonly replicas: (nodes: number) => number;
  /** The last replica that anybody knows of. */
  readonly lost: (object: string) => void;
  readonly mended: (object: string) => void;
  /** What went wrong; the next collection finds what is missing. */
  readonly failed: (error: unknown) => void;
}

interface Damage extends DamagedBlob {
  readonly host: string;
}

/** Others that are found in the same moment are mended with it: tags are read once for all. */
const gatherMs = 200;

export class Mender {
  readonly #parts: MenderParts;
  #waiting: Damage[] = [];
  #timer: NodeJS.Timeout | null = null;
  #mending: Promise<void> = Promise.resolve();

  constructor(parts: MenderParts) {
    this.#parts = parts;
  }

  found(host: string, blob: DamagedBlob): void {
    if (this.#parts.signal.aborted) return;
    this.#waiting.push({ host, ...blob });
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#mending = this.#mending.then(() => this.#mend(this.#waiting.splice(0)).catch(this.#parts.failed));
    }, gatherMs);
    this.#timer.unref();
  }

  /** Resolves when what was begun is done. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#mending;
  }

  async #mend(damages: readonly Damage[]): Promise<void> {
    const { decider, nodes, signal, now, mended } = this.#parts;
    const objects = new Set(damages.map(({ object }) => object));
    const named = await objectsInTags(decider.machine.tags, null, signal, objects);
    const changes: ReplicaChange[] = [];
    const copies: Copy[] = [];
    for (const [object, urls] of named.urls) {
      const bad = damages.filter((one) => one.object === object);
      const change = await this.#inspect(object, urls, bad);
      if (change === null) continue;
      changes.push(change.change);
      if (change.copy !== null) copies.push(change.copy);
    }
    const tagsOf = (object: string): readonly string[] => named.tags.get(object) ?? [];
    await recordChanges(decider, changes, tagsOf, now);
    await makeCopies(copies, { ...this.#parts, spaces: () => nodes.spaces(), tagsOf });
    for (const { object } of changes) mended(object);
  }

  /** `null`: no sound replica is known. */
  async #inspect(
    object: string,
    urls: readonly string[],
    bad: readonly Damage[],
  ): Promise<{ readonly change: ReplicaChange; readonly copy: Copy | null } | null> {
    const { nodes, replicas, lost } = this.#parts;
    const isBad = (url: string): boolean => {
      const address = parseBlobAddress(url);
      return bad.some(({ host, volume }) => host === address?.host && volume === address.volume);
    };
    const sound: { readonly url: string; readonly host: string; readonly size: number; readonly digest: string }[] = [];
    for (const url of urls) {
      const address = parseBlobAddress(url);
      if (address === null || isBad(url)) continue;
      const stored = await nodes.stat(address).catch(() => null);
      if (stored !== null) sound.push({ url, host: address.host, size: stored.size, digest: stored.digest });
    }
    const [best] = sound;
    if (best === undefined) {
      lost(object);
      return null;
    }
    const spaces = await nodes.spaces();
    const staying = spaces.filter(({ leaving }) => !leaving).length;
    const hosts = new Set(sound.map(({ host }) => host));
    const missing = Math.min(replicas(spaces.length), staying) - hosts.size;
    // The disk that spoilt it gets it again where there is no other.
    const others = spaces.filter(({ host, connected, leaving }) => connected && !leaving && !hosts.has(host));
    const isOnly = others.every(({ host }) => bad.some((one) => one.host === host));
    const taken = [...hosts, ...(isOnly ? [] : bad.map(({ host }) => host))];
    const { size, digest } = best;
    const sources = sound.map(({ url }) => url);
    return {
      // Another tag may mention nothing but the one that is bad.
      change: { object, add: sources, drop: urls.filter((url) => isBad(url)) },
      copy: missing > 0 ? { object, size, digest, sources, taken, present: hosts.size, missing } : null,
    };
  }
}
