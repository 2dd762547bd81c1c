/**
 * Keeps packs of active jobs from being lost. While it leads, a master sees to it that each is
 *
 *   PK1. on its own disk, fetched from whoever has it after it took over (clients and new nodes ask the master first);
 *   PK2. on two nodes that live, or as many as there are: where a holder is away, or there was none when the job was accepted,
 *        another node fetches it, and that is journaled (`pack-held`) so that the next master knows whom to ask.
 *
 * All of it in the background, one job after the other: no task waits for it. A holder that comes back is one still.
 */
import { existsSync } from "node:fs";
import type { MasterMachine } from "../core/master.ts";
import type { Coordinator } from "./coordinator.ts";
import type { DistantFiles } from "./distant-files.ts";
import type { JobFiles } from "./job-files.ts";
import type { Log } from "./log.ts";
import { type NodeFiles, packHoldersMax } from "./node-files.ts";

export interface PackKeeperParts {
  readonly coordinator: Pick<Coordinator, "machine" | "record" | "ended">;
  readonly files: Pick<JobFiles, "packFile">;
  readonly distant: Pick<DistantFiles, "pack">;
  readonly nodeFiles: Pick<NodeFiles, "addHolders">;
  /** The node has not been heard for a while, or has not joined this master yet. */
  readonly isSilent: (host: string) => boolean;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds between two looks. Default 2 s. */
  readonly lookEveryMs?: number;
}

const usualLookMs = 2_000;

export class PackKeeper {
  readonly #parts: PackKeeperParts;
  readonly #timer: NodeJS.Timeout;
  /** Active jobs whose packs are on this disk. */
  readonly #here = new Set<string>();
  /** Active jobs of which it was said that nobody gives their packs. */
  readonly #told = new Set<string>();
  #isLooking = false;
  #closed = false;

  /** Looks at once, then again and again. */
  constructor(parts: PackKeeperParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.look(), parts.lookEveryMs ?? usualLookMs);
    this.#timer.unref();
    void this.look();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  /** Resolves when each active job was seen to. One look at a time: another one meanwhile is none. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const { jobs } = this.#parts.coordinator.machine;
      for (const known of [this.#here, this.#told]) for (const job of known) if (!jobs.has(job)) known.delete(job);
      for (const job of [...jobs.keys()]) {
        if (this.#over(job)) continue;
        await this.#bring(job);
        if (!this.#over(job)) await this.#spread(job);
      }
    } finally {
      this.#isLooking = false;
    }
  }

  #over(job: string): boolean {
    const { coordinator } = this.#parts;
    return this.#closed || coordinator.ended || !coordinator.machine.jobs.has(job);
  }

  async #bring(job: string): Promise<void> {
    if (this.#here.has(job)) return;
    const { files, distant, log } = this.#parts;
    if (!existsSync(files.packFile(job))) {
      try {
        await distant.pack(job);
      } catch (error) {
        if (!this.#over(job) && !this.#told.has(job))
          log.warn({ job, reason: String(error) }, "the job's pack is not here");
        this.#told.add(job);
        return;
      }
      log.info({ job }, "fetched the job's pack");
    }
    this.#told.delete(job);
    this.#here.add(job);
  }

  async #spread(job: string): Promise<void> {
    const { coordinator, nodeFiles, isSilent, log, now } = this.#parts;
    const holders = coordinator.machine.packHolders(job);
    const { cluster } = coordinator.machine;
    const living = holders.filter((host) => cluster.node(host)?.connected === true && !isSilent(host));
    const wanted = packHoldersMax - living.length;
    if (wanted <= 0) return;
    const candidates = packCandidates(coordinator.machine, isSilent).filter((host) => !holders.includes(host));
    if (candidates.length === 0) return;
    const hosts = await nodeFiles.addHolders(job, candidates, wanted);
    if (hosts.length === 0 || this.#over(job)) return;
    try {
      coordinator.record([{ kind: "pack-held", at: now(), job, hosts }]);
      log.info({ job, nodes: hosts }, "more nodes hold the job's pack");
    } catch {
      // It does not lead any more: the next master looks for itself.
    }
  }
}

/** Nodes that may be asked to hold a pack, in an order that is another one each time: not the same two for all jobs. */
export function packCandidates({ cluster }: MasterMachine, isSilent: (host: string) => boolean): string[] {
  const there = [...cluster.nodes.values()].filter(
    (node) => node.connected && !node.draining && cluster.standing(node) !== "full" && !isSilent(node.host),
  );
  const from = Math.floor(Math.random() * there.length);
  return [...there.slice(from), ...there.slice(0, from)].map(({ host }) => host);
}
