/**
 * The blobs of this node. They are opened when somebody first needs them: most jobs of the embedded engine never do, and neither its
 * start nor its memory is to show that they could.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Blobs } from "../../blobs/blobs.ts";
import type { DamagedBlob, VolumeInfo } from "../../protocol/ddfs/messages.ts";

export interface OwnBlobsParts {
  /** Holds the first volume, and the names of the others. */
  readonly dataDir: string;
  /** Folders of further volumes, on other disks. Default: none. */
  readonly folders?: readonly string[];
  /** No other process writes there: what uploads have left is nobody's. */
  readonly isAlone: boolean;
  /** Bytes of each volume that are to stay free. Default 0. */
  readonly reserveBytes?: number;
  /** Name of the volume in `dataDir`, where the journals of several masters share it. Default: `vol0`. */
  readonly first?: string;
  /** That volume is empty when it is opened, and goes when it is closed: so do the tags that name what is there. */
  readonly scratch?: boolean;
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

  constructor(parts: OwnBlobsParts) {
    this.#parts = parts;
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

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => null);
    await opened?.close();
    if (opened != null && this.#parts.scratch === true) await rm(this.#first, { recursive: true, force: true });
  }

  /** Absolute path of the volume in the data directory. */
  get #first(): string {
    return join(this.#parts.dataDir, "ddfs", this.#parts.first ?? firstVolume);
  }

  async #open(): Promise<Blobs> {
    const { first = firstVolume, scratch, isAlone, reserveBytes = 0, store } = this.#parts;
    if (store !== undefined) return await store();
    if (scratch === true) await rm(this.#first, { recursive: true, force: true });
    const [{ Volumes }, { realDisk }] = await Promise.all([
      import("../../blobs/volumes/volumes.ts"),
      import("../../blobs/volumes/disk.ts"),
    ]);
    const volumes = new Volumes({
      directories: new Map([[first, this.#first]]),
      disk: realDisk,
      now: Date.now,
      isAlone,
      reserveBytes,
      found: (object, volume) => this.tellDamage({ object, volume, found: "read" }),
    });
    await volumes.begin();
    return volumes;
  }
}
