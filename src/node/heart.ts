/**
 * What a node says of itself once a second, so that the master knows that it lives and how much room it has. It is published, not
 * asked: a heartbeat that is lost is followed by another one.
 */
import { freemem, totalmem } from "node:os";
import type { Bus } from "../bus/bus.ts";
import { toJsonBytes } from "../bus/json.ts";
import { part } from "../bus/subjects.ts";
import type { Heartbeat } from "../protocol/messages.ts";
import type { OwnBlobs } from "./ddfs/own-blobs.ts";
import { diskSpace } from "./disk.ts";

export interface HeartParts {
  readonly bus: Bus;
  readonly host: string;
  readonly session: string;
  readonly dataDir: string;
  /** Absent: it has none. */
  readonly blobs?: OwnBlobs | undefined;
  /** Bytes of its disk that are to stay free. */
  readonly diskReserveBytes: number;
  /** Epoch of the master that the node has joined. */
  readonly epoch: () => number;
  /** Attempts that run at present. */
  readonly running: () => number;
}

export const heartbeatMs = 1_000;

export class Heart {
  readonly #parts: HeartParts;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: HeartParts) {
    this.#parts = parts;
  }

  /** Beats at once, then once a second. */
  start(): void {
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => void this.#beat(), heartbeatMs);
    void this.#beat();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #beat(): Promise<void> {
    const { bus, host, session, dataDir, blobs, diskReserveBytes, epoch, running } = this.#parts;
    // A disk that hangs is not waited for.
    blobs?.look().catch(() => undefined);
    const volumes = blobs?.info ?? [];
    const disk = await diskSpace(dataDir);
    // It may have stopped while the disk was asked: a node that has said goodbye is silent.
    if (this.#timer === null) return;
    const heartbeat: Heartbeat = {
      host,
      session,
      epoch: epoch(),
      running: running(),
      ...disk,
      ...(volumes.length === 0 ? {} : { volumes }),
      diskReserveBytes,
      memoryFreeBytes: freemem(),
      memoryTotalBytes: totalmem(),
    };
    bus.publish(`heartbeat.${part(host)}`, toJsonBytes(heartbeat));
  }
}
