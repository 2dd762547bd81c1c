/**
 * When garbage is collected, and what clients are told of it. It lives as long as its master leads.
 *
 * ```
 *   asked for, every interval, a node away for minutes ──▶ one run at a time (gc-run.ts)
 *   a node tells of a damaged blob                     ──▶ mended at once (mender.ts)
 *   every so often                                     ──▶ nodes read all their blobs (scrub)
 * ```
 */
import { setTimeout as after } from "node:timers/promises";
import type { Bus } from "../../bus/bus.ts";
import { fromJsonBytes } from "../../bus/json.ts";
import { lastPart, nameOf } from "../../bus/subjects.ts";
import type { GcStatus, NodeScrub } from "../../client/ddfs/ddfs-api.ts";
import { DiscoError } from "../../errors.ts";
import type { DamagedBlob } from "../../protocol/ddfs/messages.ts";
import type { Collection } from "../ddfs.ts";
import type { Decider } from "../decider.ts";
import type { NodeBlobs } from "../node-blobs.ts";
import { fsck } from "./fsck.ts";
import { type GcOutcome, GcRun } from "./gc-run.ts";
import { Mender } from "./mender.ts";
import { NodeCalls } from "./node-calls.ts";
import { objectsInTags } from "./objects-in-tags.ts";

export interface GarbageLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface GarbageTimes {
  /** What is younger is left alone. Milliseconds. Default: 5 days, as in Disco: so long a push may wait for its tag. */
  readonly graceMs?: number;
  /** Between runs; `null`: only when asked for. Milliseconds. Default: a day, as in Disco. */
  readonly intervalMs?: number | null;
  /** A node that is away so long is not expected back: its blobs are copied to others. Milliseconds. Default: 5 minutes. */
  readonly lostAfterMs?: number;
  /** Between rounds in which nodes read all their blobs; `null`: only when asked for. Milliseconds. Default: 30 days. */
  readonly scrubIntervalMs?: number | null;
}

export interface GarbageParts extends GarbageTimes {
  readonly decider: Decider;
  readonly bus: Bus;
  /** Of this start of the master: nodes tell it of damaged blobs. */
  readonly instance: string;
  readonly epoch: () => number;
  readonly nodes: Pick<NodeBlobs, "spaces" | "stat">;
  /** Replicas that each blob is to have, with so many nodes. */
  readonly replicas: (nodes: number) => number;
  /** Nodes with less room get copies last. Bytes. */
  readonly reserveBytes: number;
  readonly now: () => number;
  readonly log?: GarbageLog;
}

/** As `Alarm` of the master. */
export interface GarbageAlarm {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly since: number;
}

const dayMs = 24 * 60 * 60_000;
const defaultGraceMs = 5 * dayMs;
const defaultIntervalMs = dayMs;
const defaultScrubIntervalMs = 30 * dayMs;
const defaultLostAfterMs = 5 * 60_000;
/** What is overdue when a master begins to lead waits so long: nodes are to join first. */
const settleMs = 60_000;
const closePatienceMs = 1_000;
const looksPerLoss = 10;
const lookMsMin = 1_000;
const namedMax = 5;

export class GarbageCollector implements Collection {
  readonly #parts: GarbageParts;
  readonly #calls: NodeCalls;
  readonly #mender: Mender;
  readonly #over = new AbortController();
  readonly #unserve: () => void;
  readonly #timers: NodeJS.Timeout[] = [];
  /** Since when nodes are away, by this master's clock; `null`: it was acted upon. */
  readonly #away = new Map<string, number | null>();
  /** Objects whose last known replica is damaged. */
  readonly #ruined = new Map<string, number>();
  readonly #beganAt: number;
  #run: GcRun | null = null;
  #running: Promise<void> = Promise.resolve();
  #last: Pick<GcOutcome, "notes" | "lost"> = { notes: [], lost: [] };
  /** Damaged replicas that nodes told of, and blobs that were mended, since this master leads. */
  readonly counts = { damaged: 0, mended: 0 };

  constructor(parts: GarbageParts) {
    const { bus, instance, epoch, decider, nodes, replicas, reserveBytes, now, log, lostAfterMs } = parts;
    this.#parts = parts;
    this.#beganAt = now();
    this.#calls = new NodeCalls({ bus, epoch });
    this.#mender = new Mender({
      decider,
      calls: this.#calls,
      nodes,
      replicas,
      reserveBytes,
      now,
      signal: this.#over.signal,
      lost: (object) => {
        this.#ruined.set(object, now());
        log?.warn({ object }, "the last replica of a blob is damaged");
      },
      mended: (object) => {
        this.counts.mended++;
        this.#ruined.delete(object);
        log?.info({ object }, "a damaged blob was mended from another replica");
      },
      failed: (error) => log?.warn({ error: String(error) }, "a damaged blob could not be mended yet"),
    });
    this.#unserve = bus.serve(`master.${instance}.ddfs-damaged.*`, (bytes, subject) => {
      this.damaged(nameOf(lastPart(subject)), fromJsonBytes<DamagedBlob>(bytes));
      return undefined;
    });
    const lookMs = Math.max(lookMsMin, (lostAfterMs ?? defaultLostAfterMs) / looksPerLoss);
    const timer = setInterval(() => void this.#look().catch(() => undefined), lookMs);
    timer.unref();
    this.#timers.push(timer);
  }

  /** @throws DiscoError `gc-running`, and what keeps the master from recording */
  async gcStart(): Promise<void> {
    if (this.#run !== null) {
      throw new DiscoError(`garbage collection ${this.#run.progress.gc} runs already`, {
        code: "gc-running",
        hint: "`ddfs gc status` says how far it is.",
      });
    }
    this.#begin();
    await this.#parts.decider.committed();
  }

  async gcStatus(): Promise<GcStatus> {
    if (this.#run !== null) return { ...this.#run.progress };
    return { phase: null, gc: this.#tags.gc, done: 0, total: 0, notes: this.#last.notes };
  }

  async gcStats(): ReturnType<Collection["gcStats"]> {
    await this.#parts.decider.assured();
    const { lastGc } = this.#tags;
    return lastGc === null ? null : { at: lastGc.at, stats: lastGc.stats, safe: lastGc.safe };
  }

  /** Nodes of the GC blacklist that the last run found to be missed by nobody. */
  async safeGcBlacklist(): Promise<string[]> {
    const { decider } = this.#parts;
    await decider.assured();
    const safe = (this.#tags.lastGc?.safe ?? []).filter((host) => decider.machine.gcBlacklist.has(host));
    if (safe.length === 0) return [];
    // It may have been taken off the list and put on it again since, and tags may mention what was stored there in between.
    const { hosts } = await objectsInTags(this.#tags, null, this.#over.signal);
    return safe.filter((host) => !hosts.has(host));
  }

  /** @throws CommError when no node could be told */
  async scrubStart(options: { readonly bytesPerSecond?: number } = {}): Promise<void> {
    const told = await Promise.allSettled(
      (await this.#connected()).map((host) => this.#calls.scrub(host, { action: "start", ...options })),
    );
    const [failed] = told.filter((one) => one.status === "rejected");
    if (failed !== undefined && told.every((one) => one.status === "rejected")) throw failed.reason;
  }

  async scrubStatus(): Promise<NodeScrub[]> {
    const asked = await Promise.allSettled(
      (await this.#connected()).map(async (host) => ({
        host,
        ...(await this.#calls.scrub(host, { action: "status" })),
      })),
    );
    return asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  }

  fsck(): ReturnType<Collection["fsck"]> {
    const { decider, nodes, replicas, graceMs = defaultGraceMs, now } = this.#parts;
    return fsck({
      tags: this.#tags,
      gcBlacklist: decider.machine.gcBlacklist,
      calls: this.#calls,
      spaces: () => nodes.spaces(),
      replicas,
      graceMs,
      now,
      signal: this.#over.signal,
      damaged: async () => {
        const scrubs = await this.scrubStatus();
        return scrubs.flatMap(({ host, damaged }) => damaged.map((object) => ({ host, object })));
      },
    });
  }

  /** A node tells that it found a replica damaged, and has set it aside. */
  damaged(host: string, blob: DamagedBlob): void {
    this.counts.damaged++;
    this.#run?.damaged(blob.object);
    this.#parts.log?.warn({ node: host, ...blob }, "a replica is damaged, and is kept aside");
    this.#mender.found(host, blob);
  }

  alarms(): GarbageAlarm[] {
    const { lastGc } = this.#tags;
    const alarms: GarbageAlarm[] = [];
    const hint = "`ddfs fsck` names them and their tags. Bring back nodes or disks that had them, or push them again.";
    if (lastGc !== null && lastGc.stats.lost > 0) {
      const { lost } = lastGc.stats;
      const some = this.#last.lost.slice(0, namedMax).join(", ");
      const message = `${lost} blobs that tags name are on no node any more${some === "" ? "" : `: ${some}`}`;
      alarms.push({ code: "blobs-lost", message, hint, since: lastGc.at });
    }
    const [first] = this.#ruined;
    if (first !== undefined) {
      const some = [...this.#ruined.keys()].slice(0, namedMax).join(", ");
      const message = `the last replicas of ${this.#ruined.size} blobs are damaged: ${some}`;
      alarms.push({ code: "blobs-damaged", message, hint, since: first[1] });
    }
    return alarms;
  }

  /** Ends what runs: whoever leads next begins anew. */
  async close(): Promise<void> {
    this.#over.abort(new DiscoError("this master is closed", { code: "closed" }));
    for (const timer of this.#timers) clearInterval(timer);
    this.#unserve();
    // Nodes that were asked may take their time, and are waited for no longer.
    const patience = after(closePatienceMs, undefined, { ref: false });
    await Promise.race([Promise.all([this.#running, this.#mender.close()]), patience]);
  }

  get #tags(): Decider["machine"]["tags"] {
    return this.#parts.decider.machine.tags;
  }

  async #connected(): Promise<string[]> {
    return (await this.#parts.nodes.spaces()).flatMap(({ host, connected }) => (connected ? [host] : []));
  }

  #begin(): void {
    const { decider, nodes, replicas, graceMs = defaultGraceMs, reserveBytes, now } = this.#parts;
    const run = new GcRun({
      decider,
      calls: this.#calls,
      spaces: () => nodes.spaces(),
      replicas,
      graceMs,
      reserveBytes,
      now,
      signal: this.#over.signal,
    });
    run.begin();
    this.#run = run;
    this.#running = this.#finish(run);
  }

  async #finish(run: GcRun): Promise<void> {
    const { log } = this.#parts;
    let again = false;
    try {
      const { stats, notes, lost, again: more } = await run.run();
      this.#last = { notes, lost };
      again = more;
      log?.info({ gc: run.progress.gc, ...stats, notes }, "garbage was collected");
    } catch (error) {
      this.#last = {
        ...this.#last,
        notes: [`Collection ${run.progress.gc} ended early: ${(error as Error).message}.`],
      };
      if (!this.#over.signal.aborted)
        log?.warn({ gc: run.progress.gc, error: String(error) }, "garbage collection ended early");
    } finally {
      this.#run = null;
    }
    if (again && !this.#over.signal.aborted) this.#quietly();
  }

  /** Looks whether it is time, and who is away. */
  async #look(): Promise<void> {
    const { nodes, now, intervalMs = defaultIntervalMs, lostAfterMs = defaultLostAfterMs } = this.#parts;
    const { scrubIntervalMs = defaultScrubIntervalMs } = this.#parts;
    const spaces = await nodes.spaces();
    if (this.#over.signal.aborted || this.#tags.cluster === null) return;
    let isDue = false;
    for (const { host, connected } of spaces) {
      if (connected) this.#away.delete(host);
      else if (!this.#away.has(host)) this.#away.set(host, now());
      const since = this.#away.get(host);
      if (since == null || now() - since < lostAfterMs) continue;
      this.#away.set(host, null);
      isDue = true;
    }
    for (const host of this.#away.keys()) if (!spaces.some((space) => space.host === host)) this.#away.delete(host);
    if (now() - this.#beganAt >= settleMs) {
      const lastAt = this.#tags.lastGc?.at ?? this.#beganAt;
      if (intervalMs !== null && now() - lastAt >= intervalMs) isDue = true;
      if (scrubIntervalMs !== null) await this.#scrubDue(scrubIntervalMs);
    }
    if (isDue && this.#run === null) this.#quietly();
  }

  async #scrubDue(intervalMs: number): Promise<void> {
    for (const { host, running, finishedAt } of await this.scrubStatus()) {
      const since = finishedAt ?? this.#beganAt;
      if (running || this.#parts.now() - since < intervalMs) continue;
      await this.#calls.scrub(host, { action: "start" }).catch(() => undefined);
    }
  }

  /** What keeps it from running now may have passed at the next look. */
  #quietly(): void {
    try {
      this.#begin();
    } catch (error) {
      this.#parts.log?.warn({ error: String(error) }, "garbage collection could not begin");
    }
  }
}
