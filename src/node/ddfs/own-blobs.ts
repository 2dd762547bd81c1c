/**
 * The blobs of this node. They are opened when somebody first needs them: most jobs of the embedded engine never do, and neither its
 * start nor its memory is to show that they could.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Blobs, SharedBlobs, SharedStore } from "../../blobs/blobs.ts";
import { DiscoError } from "../../errors.ts";
import type { DamagedBlob, VolumeInfo } from "../../protocol/ddfs/messages.ts";
import { privateDirectoryMode, privateFileMode } from "../private-modes.ts";

export interface OwnBlobsParts {
  /** Holds the first volume, and links to the others. No other process has these volumes. */
  readonly dataDir: string;
  /** Folders of further volumes, on other disks. Default: none. */
  readonly folders?: readonly string[];
  /** Bytes of each volume that are to stay free. Default 0. */
  readonly reserveBytes?: number;
  /** Name of the volume in `dataDir`, where the journals of several masters share it. Default: `vol0`. */
  readonly first?: string;
  /** Instead: one that is made when it is opened, and goes when it is closed, as do the tags that name what is there. */
  readonly scratch?: boolean;
  /** Instead of volumes of this machine: what all nodes use (`DDFS_STORE`). */
  readonly shared?: SharedStore | null;
  /** Instead of volumes of this machine. */
  readonly store?: () => Promise<Blobs>;
}

const firstVolume = "vol0";

/** Who hears of blobs that are damaged. */
export type DamageListener = (blob: DamagedBlob) => void;

export class OwnBlobs {
  readonly #parts: OwnBlobsParts;
  readonly #listeners = new Set<DamageListener>();
  #opened: Promise<Blobs> | null = null;
  #info: readonly VolumeInfo[] = [];
  /** Name of the volume that was made for this start. */
  #scratch: string | null = null;

  constructor(parts: OwnBlobsParts) {
    this.#parts = parts;
  }

  /** Its name where others are names of nodes; `null`: blobs are this node's own. */
  get sharedHost(): string | null {
    return this.#parts.shared?.host ?? null;
  }

  /** Once; later calls have the same. What went wrong is tried again. */
  open(): Promise<Blobs> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = null;
      throw error;
    });
    return this.#opened;
  }

  /** Looks at the volumes. Those of a store that was not opened are opened. */
  async look(): Promise<readonly VolumeInfo[]> {
    this.#info = await (await this.open()).volumes();
    return this.#info;
  }

  /** As they were looked at last; empty before that. */
  get info(): readonly VolumeInfo[] {
    return this.#info;
  }

  /** Returns what ends it. */
  onDamage(listener: DamageListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tellDamage(blob: DamagedBlob): void {
    for (const listener of this.#listeners) listener(blob);
  }

  /** Of the cluster whose blobs these are; `null`: it was not told yet. */
  async cluster(): Promise<string | null> {
    const shared = await this.#shared();
    if (shared !== null) return await shared.cluster();
    if (this.#parts.scratch === true && this.#scratch === null) return null;
    return await readFile(this.#clusterFile, "utf8").catch(() => null);
  }

  /**
   * The first cluster that has them is theirs: to another one they would be garbage. `null`: of a journal that knows of none, whose blobs
   * these cannot be when they have one. @throws DiscoError `other-cluster`
   */
  async belongTo(cluster: string | null): Promise<void> {
    const known = await this.cluster();
    if (known !== null && known !== cluster) throw otherCluster(this.sharedHost ?? this.#first);
    if (known !== null || cluster === null) return;
    const shared = await this.#shared();
    if (shared !== null) {
      if ((await shared.claim(cluster)) !== cluster) throw otherCluster(this.sharedHost ?? "");
      return;
    }
    await mkdir(this.#first, { recursive: true, mode: privateDirectoryMode });
    const temporary = `${this.#clusterFile}.${process.pid}`;
    await writeFile(temporary, cluster, { mode: privateFileMode, flush: true });
    await rename(temporary, this.#clusterFile);
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => null);
    await opened?.close();
    if (this.#scratch !== null) await rm(this.#first, { recursive: true, force: true });
  }

  get #clusterFile(): string {
    return join(this.#first, "cluster");
  }

  /** Absolute path of the volume in the data directory. */
  get #first(): string {
    return join(this.#parts.dataDir, "ddfs", this.#scratch ?? this.#parts.first ?? firstVolume);
  }

  /** The store that all nodes use; `null`: there is none. */
  async #shared(): Promise<SharedBlobs | null> {
    return this.sharedHost === null ? null : ((await this.open()) as SharedBlobs);
  }

  async #open(): Promise<Blobs> {
    const { shared = null } = this.#parts;
    if (shared !== null) return await shared.open((blob) => this.tellDamage(blob));
    const { dataDir, folders = [], scratch, reserveBytes = 0, store } = this.#parts;
    if (store !== undefined) return await store();
    if (scratch === true) {
      const { takeScratchVolume } = await import("./scratch-volume.ts");
      this.#scratch = await takeScratchVolume(join(dataDir, "ddfs"));
    }
    const first = this.#scratch ?? this.#parts.first ?? firstVolume;
    const [{ Volumes }, { realDisk }, { volumePlaces }] = await Promise.all([
      import("../../blobs/volumes/volumes.ts"),
      import("../../blobs/volumes/disk.ts"),
      import("./volume-places.ts"),
    ]);
    const volumes = new Volumes({
      places: await volumePlaces({ dataDir, first, folders }),
      disk: realDisk,
      now: Date.now,
      reserveBytes,
      found: (blob) => this.tellDamage(blob),
    });
    await volumes.begin();
    return volumes;
  }
}

/** Blobs are of another cluster than the one that asks for them. */
export function otherCluster(where: string): DiscoError {
  return new DiscoError(`the blobs of ${where} belong to another cluster, or to a journal that is gone`, {
    code: "other-cluster",
    hint: "`disco rebuild --from-nodes` makes a journal of what nodes have; to begin anew without these blobs, remove that folder.",
  });
}
