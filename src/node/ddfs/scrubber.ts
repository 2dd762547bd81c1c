/**
 * Reads all blobs of a node, one after the other, so that damage is found while there are other replicas: not faster than it is told,
 * as jobs use the same disks. How far it is is kept on the disk; a node that starts again goes on where it was.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { ScrubNode, ScrubStatus } from "../../protocol/ddfs/messages.ts";
import { privateFileMode } from "../private-modes.ts";
import type { BlobRequestParts } from "./blob-subjects.ts";

interface Round {
  running: boolean;
  bytesPerSecond: number;
  blobs: number;
  bytes: number;
  damaged: string[];
  /** The last one that was read. */
  after: { readonly volume: string; readonly object: string } | null;
  /** Milliseconds since 1970. */
  finishedAt: number | null;
}

/** A disk of 4 TB takes a day and a half. */
const defaultBytesPerSecond = 32 * 1024 * 1024;
const pageMax = 256;
/** Objects that are named in a status. */
const damagedMax = 1_000;
const stateFile = "scrub.json";

export class Scrubber {
  readonly #parts: Pick<BlobRequestParts, "blobs" | "dataDir">;
  readonly #file: string;
  #round: Round | null = null;
  #working: Promise<void> | null = null;
  #stop = new AbortController();
  #closed = false;

  constructor(parts: Pick<BlobRequestParts, "blobs" | "dataDir">) {
    this.#parts = parts;
    this.#file = join(parts.dataDir, "ddfs", stateFile);
  }

  /** `start` while it runs changes its pace; after a round that was broken off, it goes on with that. */
  async command({ action, bytesPerSecond }: ScrubNode): Promise<ScrubStatus> {
    const round = await this.#known();
    if (action === "start") {
      round.bytesPerSecond = bytesPerSecond ?? defaultBytesPerSecond;
      if (!round.running && round.after === null) Object.assign(round, { blobs: 0, bytes: 0, damaged: [] });
      round.running = true;
      this.#begin(round);
    } else if (action === "stop" && round.running) {
      round.running = false;
      await this.#halt();
      await this.#save(round);
    }
    const { running, blobs, bytes, damaged, finishedAt } = round;
    return { running, blobs, bytes, damaged: [...damaged], finishedAt };
  }

  /** How far it is stays on the disk. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#halt();
  }

  async #known(): Promise<Round> {
    // Opening the store makes the directory that the state is kept in.
    await this.#parts.blobs.open();
    if (this.#round === null) {
      const saved = await readFile(this.#file, "utf8").then(roundIn, () => null);
      this.#round ??= saved ?? emptyRound();
    }
    // After a start of the node, and after a failure: a disk that was full, say.
    if (this.#round.running) this.#begin(this.#round);
    return this.#round;
  }

  #begin(round: Round): void {
    if (this.#working !== null || this.#closed) return;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const forget = this.#parts.blobs.onDamage(({ object }) => {
      if (round.damaged.length < damagedMax && !round.damaged.includes(object)) round.damaged.push(object);
    });
    this.#working = this.#work(round, signal)
      // A volume that fails is told by the store; the rest is read in the next round.
      .catch(() => undefined)
      .finally(() => {
        forget();
        this.#working = null;
      });
  }

  async #halt(): Promise<void> {
    this.#stop.abort();
    await this.#working;
  }

  async #work(round: Round, signal: AbortSignal): Promise<void> {
    const store = await this.#parts.blobs.open();
    for (;;) {
      const { blobs, isLast } = await store.list(round.after ?? undefined, pageMax);
      for (const { object, volume, size } of blobs) {
        if (signal.aborted) return;
        const begun = performance.now();
        // What a volume cannot do now it is asked in the next round.
        await store.verify(object, volume).catch(() => undefined);
        round.blobs++;
        round.bytes += size;
        round.after = { volume, object };
        const restMs = (size / round.bytesPerSecond) * 1_000 - (performance.now() - begun);
        if (restMs >= 1) await pause(restMs, undefined, { signal, ref: false }).catch(() => undefined);
      }
      if (signal.aborted) return;
      const isOver = isLast || blobs.length === 0;
      if (isOver) Object.assign(round, { running: false, after: null, finishedAt: Date.now() });
      await this.#save(round);
      if (isOver) return;
    }
  }

  /** Lost with the power: the round of before is read again. */
  async #save(round: Round): Promise<void> {
    const temporary = `${this.#file}.partial`;
    await writeFile(temporary, JSON.stringify(round), { mode: privateFileMode });
    await rename(temporary, this.#file);
  }
}

function emptyRound(): Round {
  return {
    running: false,
    bytesPerSecond: defaultBytesPerSecond,
    blobs: 0,
    bytes: 0,
    damaged: [],
    after: null,
    finishedAt: null,
  };
}

function roundIn(text: string): Round | null {
  try {
    return { ...emptyRound(), ...(JSON.parse(text) as Partial<Round>) };
  } catch {
    return null;
  }
}
