/**
 * Whether a volume takes blobs, and how many.
 *
 *   open ── an error of the disk itself ──▶ in trouble ── a file can be written, synced and removed again ──▶ open
 *                                             └── it cannot: looked at again after twice the time, up to ten minutes
 *
 * Room that was promised to uploads which announced their length is not given to others. What is full is open again when there is room.
 */
import { randomUUID } from "node:crypto";
import type { VolumeInfo } from "../../protocol/ddfs/messages.ts";
import type { Disk } from "./disk.ts";
import * as layout from "./layout.ts";
import type { Volume } from "./volume.ts";

/** Failures of the volume itself, not of what is done with it. */
const troubles: Readonly<Record<string, string>> = {
  EROFS: "read-only",
  EACCES: "read-only",
  EPERM: "read-only",
  ENOENT: "gone",
  ENOTDIR: "gone",
  ENODEV: "gone",
  ENXIO: "gone",
  ESTALE: "gone",
  EIO: "failing",
};
const fullCodes: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);
const full = "full";
const roomAgeMs = 2_000;
const firstRetryMs = 2_000;
const retryMsMax = 10 * 60_000;

export interface VolumeStateParts {
  readonly volume: Volume;
  readonly disk: Disk;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Bytes that are to stay free. */
  readonly reserveBytes: number;
  /** What its marker says, if it has one: another one is another's volume, none is an empty mount point. */
  readonly marker: string | null;
}

export class VolumeState {
  readonly volume: Volume;
  readonly #parts: VolumeStateParts;
  #freeBytes = 0;
  #usedBytes = 0;
  #trouble: string | null = null;
  #promisedBytes = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #retryMs = 0;
  #looking: Promise<void> | null = null;

  constructor(parts: VolumeStateParts) {
    this.volume = parts.volume;
    this.#parts = parts;
  }

  get info(): VolumeInfo {
    const { name: volume } = this.volume;
    return { volume, freeBytes: this.#freeBytes, usedBytes: this.#usedBytes, trouble: this.#trouble };
  }

  /** Its blobs can be read and listed, as far as is known. */
  get isThere(): boolean {
    return this.#trouble === null || this.#trouble === full || this.#trouble === "read-only";
  }

  /** Bytes that a new blob may have. */
  get roomBytes(): number {
    return this.#trouble === null ? this.#freeBytes - this.#promisedBytes - this.#parts.reserveBytes : 0;
  }

  /** Of an upload that announced so many. Returns what takes it back, given how many were used: the system is asked only now and then. */
  promise(bytes: number): (usedBytes: number) => void {
    this.#promisedBytes += bytes;
    let isOver = false;
    return (usedBytes) => {
      if (isOver) return;
      isOver = true;
      this.#promisedBytes -= bytes;
      this.#freeBytes -= usedBytes;
    };
  }

  /** Asks the system how much room there is, unless it was asked just now. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  /** Something was tried there and failed. `true`: it is the volume's fault. */
  blame(error: unknown): boolean {
    const { code = "" } = error as NodeJS.ErrnoException;
    const trouble = isFull(error) ? full : troubles[code];
    if (trouble === undefined) return false;
    this.#freeBytes = isFull(error) ? 0 : this.#freeBytes;
    this.#suffer(trouble);
    return true;
  }

  async #look(): Promise<void> {
    const { now, disk, reserveBytes, marker } = this.#parts;
    const ageMs = this.#trouble === null || this.#trouble === full ? roomAgeMs : this.#retryMs;
    if (now() - this.#lookedAt < ageMs) return;
    this.#lookedAt = now();
    const { directory } = this.volume;
    try {
      if (marker !== null) {
        const found = (await disk.read(layout.markerFile(directory))).toString("utf8");
        if (found !== marker) return this.#suffer("another's");
      }
      const room = await disk.room(directory);
      await disk.assertWritable(layout.blobDirectory(directory));
      if (this.#trouble !== null && this.#trouble !== full) await this.#probe();
      this.#freeBytes = room.freeBytes;
      this.#usedBytes = room.usedBytes;
      this.#trouble = room.freeBytes <= reserveBytes ? full : null;
      this.#retryMs = 0;
    } catch (error) {
      if (!this.blame(error)) this.#suffer("failing");
    }
  }

  #suffer(trouble: string): void {
    this.#retryMs = Math.min(Math.max(this.#retryMs * 2, firstRetryMs), retryMsMax);
    this.#trouble = trouble;
    // It was looked at: what it does not take now it will not take in a moment.
    this.#lookedAt = this.#parts.now();
  }

  /** Writes, syncs and removes: what could not be done before. */
  async #probe(): Promise<void> {
    const { disk } = this.#parts;
    const path = layout.partialFile(layout.blobDirectory(this.volume.directory), randomUUID());
    const file = await disk.create(path);
    try {
      await file.write([Buffer.from("probe\n")]);
      await file.sync();
    } finally {
      await file.close();
      await disk.remove(path);
    }
  }
}

export function isFull(error: unknown): boolean {
  return fullCodes.has((error as NodeJS.ErrnoException).code ?? "");
}
