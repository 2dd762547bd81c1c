/**
 * Files of jobs that ended or were purged while this node was away: it tells the master that lets it in what it has, and drops what
 * that one says. Asked after the node has joined, in the background: a disk of ten thousand jobs takes a second to look through.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fromJsonBytes, toJsonBytes } from "../bus/json.ts";
import { unpackedName } from "../protocol/foreign-home.ts";
import type { JobLeftover, LeftoversReply } from "../protocol/messages.ts";
import { isLasting } from "./job-home.ts";
import type { MasterLink } from "./master-link.ts";

export interface LeftoversParts {
  readonly dataDir: string;
  readonly host: string;
  readonly master: MasterLink;
  /** The node works for the job: what it has of it is no leftover. */
  readonly works: (job: string) => boolean;
  readonly drop: (reply: LeftoversReply["drop"][number]) => Promise<void>;
}

/** Jobs in one question: well below what a message may be. */
const askedMax = 1_000;
const patienceMs = 30_000;
/** A master that cannot say now is asked again. */
const retryMs = 30_000;

export class Leftovers {
  readonly #parts: LeftoversParts;
  #isLooking = false;
  #dropping: Promise<void> | null = null;
  #again = false;
  #closed = false;
  #retry: NodeJS.Timeout | null = null;

  constructor(parts: LeftoversParts) {
    this.#parts = parts;
  }

  /** A master has let the node in. */
  look(): void {
    if (this.#closed) return;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#again = true;
    if (!this.#isLooking) void this.#run();
  }

  /** Resolves when nothing is being dropped any more. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    // A question may wait for a master for long.
    await this.#dropping?.catch(() => undefined);
  }

  async #run(): Promise<void> {
    this.#isLooking = true;
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#once();
      } catch {
        // There is no master at present, or its journal is away, or the disk refuses: what is left over is in nobody's way.
        if (!this.#closed) this.#retry = setTimeout(() => this.look(), retryMs).unref();
      }
    }
    this.#isLooking = false;
  }

  async #once(): Promise<void> {
    const { master, drop } = this.#parts;
    const jobs = await this.#find();
    for (let from = 0; from < jobs.length && !this.#closed; from += askedMax) {
      const question = toJsonBytes({ jobs: jobs.slice(from, from + askedMax) });
      const reply = fromJsonBytes<LeftoversReply>(await master.ask("leftovers", question, patienceMs));
      for (const one of reply.drop) {
        if (this.#closed) return;
        this.#dropping = drop(one);
        await this.#dropping;
      }
    }
  }

  async #find(): Promise<JobLeftover[]> {
    const { dataDir, host, works } = this.#parts;
    const home = join(dataDir, host);
    const found: JobLeftover[] = [];
    for (const part of await namesIn(home)) {
      if (!/^[0-9a-f]{2}$/.test(part)) continue;
      for (const job of await namesIn(join(home, part)))
        if (!works(job)) found.push({ job, intermediate: await hasIntermediate(join(home, part, job)) });
    }
    return found;
  }
}

async function hasIntermediate(jobHome: string): Promise<boolean> {
  // What the worker that a job brought along wrote stays until the job is purged.
  if (existsSync(join(jobHome, unpackedName))) return false;
  if (existsSync(join(jobHome, "work"))) return true;
  return (await namesIn(join(jobHome, ".disco"))).some((name) => !isLasting(name));
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}
