/**
 * How much room the disk of the root has. Below the reserve the master takes and starts nothing, so that what is left is for the
 * end of what runs, and for the journal. It comes back by itself, a little above, lest it flutter.
 */
import { statfsSync } from "node:fs";
import type { Alarm } from "../client/master-api.ts";
import { isLow } from "../core/scheduler/disk-reserve.ts";
import { DiscoError } from "../errors.ts";

export interface DiskRoomOptions {
  readonly root: string;
  /** Bytes that are to stay free. */
  readonly reserveBytes: number;
  /** Instead of asking the file system, in tests. */
  readonly freeBytes?: () => number;
}

export class DiskRoom {
  readonly #options: DiskRoomOptions;
  #free = Number.POSITIVE_INFINITY;
  #low = false;

  constructor(options: DiskRoomOptions) {
    this.#options = options;
    this.look();
  }

  /** There is too little room. */
  get low(): boolean {
    return this.#low;
  }

  /** Asks how much there is; costs a system call. */
  look(): void {
    const { root, reserveBytes, freeBytes = () => freeBytesOf(root) } = this.#options;
    this.#free = freeBytes();
    this.#low = isLow({ freeBytes: this.#free, reserveBytes }, this.#low);
  }

  get reason(): string {
    const { root, reserveBytes } = this.#options;
    return `the disk of ${root} is full: ${megabytes(this.#free)} are free, ${megabytes(reserveBytes)} are kept in reserve`;
  }

  get remedy(): string {
    return `Make room on the disk of ${this.#options.root}, by disco purge for example; the master then goes on by itself.`;
  }

  /** `at`: ms since 1970. */
  alarm(at: number): Alarm {
    return { code: "disk-full", message: `the master is read-only: ${this.reason}`, hint: this.remedy, since: at };
  }

  /** For who wants something that the master does not do now. */
  refusal(): DiscoError {
    return new DiscoError(`the master is read-only: ${this.reason}`, {
      code: "read-only",
      retry: "here",
      hint: this.remedy,
    });
  }
}

function freeBytesOf(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    // Not every file system tells. That the journal cannot be written is noticed all the same.
    return Number.POSITIVE_INFINITY;
  }
}

function megabytes(bytes: number): string {
  return bytes === Number.POSITIVE_INFINITY ? "unknown" : `${(bytes / 1e6).toFixed(1)} MB`;
}
