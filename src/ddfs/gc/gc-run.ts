/**
 * One run of garbage collection and re-replication: the plan of `core/ddfs/gc.ts`, carried out. It may end at any point, with the master
 * or without; what was decided is in the journal, what was not is decided anew by the next run.
 *
 * ```
 *   gc-started ─▶ for each part of all objects:
 *                   read tags ─▶ ask all nodes for their blobs ─▶ plan ─▶ blobs-condemned, blobs-gone, replicas-changed ─▶ delete
 *              ─▶ copies, the most urgent of all parts first ─▶ replicas-changed ─▶ surplus deleted ─▶ gc-ended
 * ```
 * GR1. A blob is deleted after its condemnation is in the journal. What was named while the plan was made is not condemned: that is
 *      looked at in the same turn in which the condemnation is recorded.
 * GR2. Each message carries the epoch and the number of this run. A node that was asked for its blobs takes no deletion of an earlier one.
 * GR3. Who is not the master any more cannot record, and goes no further.
 * GR4. Nodes look at their own clocks, and keep what is younger than the grace period, whatever they are told.
 */
import { setTimeout as after } from "node:timers/promises";
import type { GcStatus, NodeSpace } from "../../client/ddfs/ddfs-api.ts";
import type { GcStats } from "../../core/ddfs/events.ts";
import { type Condemned, type Copy, type FileOf, type GcPlan, planGc } from "../../core/ddfs/gc.ts";
import type { NameWatch, Tags } from "../../core/ddfs/tags.ts";
import { DiscoError } from "../../errors.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import type { Decider } from "../decider.ts";
import { makeCopies, recordChanges } from "./copier.ts";
import { type Listing, listHosts } from "./listings.ts";
import type { NodeCalls } from "./node-calls.ts";
import { isIn, objectsInTags, type Part, partsOf } from "./objects-in-tags.ts";

export interface GcRunParts {
  readonly decider: Decider;
  readonly calls: NodeCalls;
  /** All nodes of the cluster, those that are away as well. */
  readonly spaces: () => Promise<readonly NodeSpace[]>;
  /** Replicas that each blob is to have, with so many nodes. */
  readonly replicas: (nodes: number) => number;
  readonly graceMs: number;
  readonly reserveBytes: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** What people are told of a run. */
export type GcProgress = { -readonly [K in keyof GcStatus]: GcStatus[K] };

export interface GcOutcome {
  readonly stats: GcStats;
  readonly safe: readonly string[];
  readonly notes: readonly string[];
  /** Lost for good, the first of them. */
  readonly lost: readonly string[];
  /** Another run at once would do more: there was more than fits into one, or nodes can be emptied now. */
  readonly again: boolean;
}

/** Objects of one record, and of one message. */
const objectsPerRecord = 500;
/** Copies that are remembered for one run. The rest is planned by the next. */
const copiesMax = 100_000;
const lostMax = 1_000;
const notesMax = 20;
/** Between tries of a message that got no answer. */
const retryDelayMs = 1_000;
const deleteTries = 3;

export class GcRun {
  readonly progress: GcProgress;
  readonly #parts: GcRunParts;
  readonly #tags: Tags;
  readonly #gc: number;
  /** Since before tags were read. */
  readonly #watch: NameWatch;
  /** Condemned by earlier runs. */
  readonly #condemned: ReadonlySet<string>;
  /** To be emptied, when the run began. */
  readonly #leaving: ReadonlySet<string>;
  readonly #hosts = new Set<string>();
  readonly #tagsOf = new Map<string, readonly string[]>();
  readonly #copies: Copy[] = [];
  readonly #surplus: (FileOf & { readonly object: string })[] = [];
  /** Of which a replica turned out damaged since the run began: what is too much of them may be all that is sound. */
  readonly #damaged = new Set<string>();
  readonly #needed = new Map<string, number>();
  readonly #lost: string[] = [];
  #again = false;
  #lostCount = 0;
  readonly #kept = [0, 0] as [number, number];
  readonly #deleted = [0, 0] as [number, number];

  constructor(parts: GcRunParts) {
    this.#parts = parts;
    this.#tags = parts.decider.machine.tags;
    this.#gc = this.#tags.gc + 1;
    this.#watch = this.#tags.watch();
    this.#condemned = new Set(this.#tags.condemned());
    this.#leaving = new Set(parts.decider.machine.gcBlacklist);
    this.progress = { phase: "listing", gc: this.#gc, done: 0, total: 0, notes: [] };
  }

  /** @throws what keeps the master from recording; then it does not run */
  begin(): void {
    try {
      this.#record([{ kind: "gc-started", at: this.#parts.now(), gc: this.#gc }]);
    } catch (error) {
      this.#watch.end();
      throw error;
    }
  }

  /** After `begin`. @throws the signal's reason, what keeps the master from recording, `gc-interrupted` */
  async run(): Promise<GcOutcome> {
    try {
      return await this.#run();
    } finally {
      this.#watch.end();
    }
  }

  /** A replica of it was found damaged. */
  damaged(object: string): void {
    this.#damaged.add(object);
  }

  async #run(): Promise<GcOutcome> {
    const { decider, now, signal } = this.#parts;
    await decider.committed();
    for (const part of partsOf(this.#tags)) await this.#collect(part);
    const copied = await this.#copy();
    // Whoever names one of them anew knows of a file that no tag had: it stays.
    const surplus = this.#surplus.filter(({ object }) => !this.#watch.has(object) && !this.#damaged.has(object));
    await this.#delete(
      "mending",
      surplus.map(({ object, host, volume }) => ({ object, size: 0, files: [{ host, volume }] })),
    );
    signal.throwIfAborted();
    const safe = [...this.#leaving].filter((host) => !this.#needed.has(host)).sort();
    const stats: GcStats = {
      blobsKept: this.#kept,
      blobsDeleted: this.#deleted,
      tagsKept: [this.#tags.size, 0],
      tagsDeleted: [0, 0],
      replicated: copied,
      lost: this.#lostCount,
    };
    this.#record([{ kind: "gc-ended", at: now(), gc: this.#gc, stats, safe }]);
    await decider.committed();
    const again = copied > 0 && (this.#again || this.#needed.size > 0);
    return { stats, safe, notes: this.progress.notes, lost: this.#lost, again };
  }

  /** One part of all objects: what nobody needs goes, what is rare is noted. */
  async #collect(part: Part): Promise<void> {
    const { decider, signal, now, graceMs } = this.#parts;
    // Tags before nodes (GP4).
    const named = await objectsInTags(this.#tags, part, signal);
    for (const [object, tags] of named.tags) this.#tagsOf.set(object, tags);
    const listings = await this.#list(part, named.hosts);
    const plan = planGc({
      named: named.urls,
      hosts: listings,
      replicas: this.#parts.replicas(listings.size),
      condemned: new Set([...this.#condemned].filter((object) => isIn(part, object))),
      now: now(),
      graceMs,
      since: this.#tags.namedAt,
      addressOf: replicaAddress,
    });
    // From here to the record in one turn (GR1).
    const condemned = plan.condemned.filter(({ object }) => !this.#watch.has(object));
    for (const { object, files } of plan.condemned)
      if (this.#watch.has(object)) for (const { host } of files) this.#need(host, 1);
    for (const some of inGroups(condemned))
      this.#record([{ kind: "blobs-condemned", at: now(), gc: this.#gc, objects: some.map(({ object }) => object) }]);
    for (const objects of inGroups(plan.gone)) this.#record([{ kind: "blobs-gone", at: now(), objects }]);
    await decider.committed();
    this.#remember(plan);
    await recordChanges(decider, plan.changes, (object) => this.#tagsOf.get(object), now);
    await this.#delete("deleting", [...condemned, ...plan.remains]);
  }

  async #list(part: Part, mentioned: ReadonlySet<string>): Promise<ReadonlyMap<string, Listing>> {
    const { calls, signal } = this.#parts;
    const spaces = await this.#parts.spaces();
    const connected = spaces.flatMap(({ host, connected: is }) => (is ? [host] : []));
    for (const host of [...spaces.map((space) => space.host), ...mentioned]) this.#hosts.add(host);
    this.#phase("listing", this.#hosts.size);
    const listings = await listHosts(this.#hosts, (host) => this.#leaving.has(host), {
      calls,
      connected: () => connected,
      cluster: this.#tags.cluster,
      gc: this.#gc,
      part,
      signal,
      done: () => this.progress.done++,
    });
    this.#assertSame();
    const away = [...listings].flatMap(([host, { why, isLeaving }]) =>
      why === null || isLeaving ? [] : [[host, why]],
    );
    for (const [host, why] of away)
      this.#note(
        spaces.some((space) => space.host === host)
          ? `Nothing is deleted: ${why}.`
          : `Nothing is deleted: tags mention ${host}, which is no node here. If it will not come back: disco gc_blacklist.`,
      );
    return listings;
  }

  #remember(plan: GcPlan): void {
    const room = copiesMax - this.#copies.length;
    if (plan.copies.length > room) this.#again = true;
    this.#copies.push(...plan.copies.slice(0, room));
    this.#surplus.push(...plan.surplus);
    for (const [host, count] of plan.needed) this.#need(host, count);
    this.#lostCount += plan.lost.length;
    this.#lost.push(...plan.lost.slice(0, lostMax - this.#lost.length));
    this.#kept[0] += plan.kept[0];
    this.#kept[1] += plan.kept[1];
    if (plan.unseen.length > 0)
      this.#note(`${plan.unseen.length} blobs are on no node that has listed: those that are away may have them.`);
  }

  async #copy(): Promise<number> {
    const { decider, calls, spaces, reserveBytes, now, signal } = this.#parts;
    this.#phase("replicating", this.#copies.length);
    if (this.#copies.length === 0) return 0;
    this.#copies.sort((a, b) => a.present - b.present || (a.object < b.object ? -1 : 1));
    const copied = await makeCopies(this.#copies, {
      decider,
      calls,
      spaces,
      reserveBytes,
      now,
      signal,
      tagsOf: (object) => this.#tagsOf.get(object),
      done: () => this.progress.done++,
    });
    if (copied.failed > 0) this.#note(`${copied.failed} replicas could not be made: ${copied.why}.`);
    return copied.replicas;
  }

  /** Nobody waits for a node that does not answer: what it has stays condemned, and goes in the next run. */
  async #delete(phase: "deleting" | "mending", objects: readonly Condemned[]): Promise<void> {
    this.#phase(phase, objects.length);
    const byHost = new Map<string, { object: string; volume: string }[]>();
    const sizes = new Map<string, number>();
    for (const { object, size, files } of objects) {
      sizes.set(object, size);
      for (const { host, volume } of files) {
        const its = byHost.get(host);
        if (its === undefined) byHost.set(host, [{ object, volume }]);
        else its.push({ object, volume });
      }
    }
    await Promise.all(
      [...byHost].map(async ([host, blobs]) => {
        for (const some of inGroups(blobs)) {
          const gone = await this.#deleteAt(host, some);
          this.progress.done += gone.length;
          this.#deleted[0] += gone.length;
          for (const object of gone) this.#deleted[1] += sizes.get(object) ?? 0;
        }
      }),
    );
    this.#parts.signal.throwIfAborted();
  }

  async #deleteAt(
    host: string,
    blobs: readonly { readonly object: string; readonly volume: string }[],
  ): Promise<readonly string[]> {
    const { calls, graceMs, signal } = this.#parts;
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted();
      try {
        const { gone, kept } = await calls.delete(host, { gc: this.#gc, graceMs, blobs });
        if (kept[0] !== undefined) this.#note(`${host} keeps ${kept.length} blobs for now: ${kept[0].reason}.`);
        return gone;
      } catch (error) {
        if (tries < deleteTries) {
          await after(retryDelayMs, undefined, { ref: false });
          continue;
        }
        this.#note(`${host} did not delete: ${(error as Error).message}.`);
        return [];
      }
    }
  }

  #need(host: string, objects: number): void {
    this.#needed.set(host, (this.#needed.get(host) ?? 0) + objects);
  }

  /** In the turn of what was seen (GR3). */
  #record(events: Parameters<Decider["record"]>[0]): void {
    this.#assertSame();
    this.#parts.decider.record(events);
  }

  /** After the journal was read anew nobody knows what was named meanwhile. */
  #assertSame(): void {
    this.#parts.signal.throwIfAborted();
    const { tags } = this.#parts.decider.machine;
    if (tags === this.#tags && (tags.gc === this.#gc || tags.gc === this.#gc - 1)) return;
    throw new DiscoError("the journal was read again while blobs were collected", {
      code: "gc-interrupted",
      hint: "`ddfs gc start` begins anew; so does the master after a while.",
    });
  }

  #phase(phase: GcProgress["phase"], total: number): void {
    Object.assign(this.progress, { phase, done: 0, total });
  }

  #note(note: string): void {
    if (this.progress.notes.length < notesMax && !this.progress.notes.includes(note))
      this.progress.notes = [...this.progress.notes, note];
  }
}

function* inGroups<T>(all: readonly T[]): Generator<T[]> {
  for (let i = 0; i < all.length; i += objectsPerRecord) yield all.slice(i, i + objectsPerRecord);
}
