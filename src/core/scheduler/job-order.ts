/**
 * Which job is served next, among those that have a task to hand out.
 *
 * `fifo`: the job that was submitted first; the others get what it cannot use.
 *
 * `fair`: each job has a right to an equal share of the slots. First comes the job with the fewest live attempts, less its
 * *credit*: how many slots below its share it was on the average (a debt, if above). That is Disco's idea: its scheduler
 * takes, once a second, an exponential moving average of each job's deficit, with `alpha` as the weight of the newest second,
 * and serves the job with the largest. `alpha` 1 looks at the present only; a small one remembers for 1/alpha seconds. It
 * makes jobs with short and with long tasks equal, and shares of less than a slot: with one slot and three jobs, each gets
 * every third task. Three things are other than in Disco, each for a case in which its users waited:
 *
 * F1. The credit counts up to half a share. So a new job is served soon, whatever others are owed, and nobody starves.
 * F2. A job that could not use more (no tasks wait, `max_cores`) earns no credit, and slots that nobody else wanted
 *     are no debt.
 * F3. The present number of attempts counts in full, and averages go on with each start and end of an attempt, not once a
 *     second: then a job cannot take every free slot until its turn is noticed to be over.
 *
 * F4. A job that can use none of the nodes with room sleeps: it is asked again only when something happened to it, a node has
 *     got room that it can use, or a node became another one. So jobs that wait for certain nodes cost a round nothing.
 *
 * A heap (`turns.ts`): a place is found in O(log jobs). Credits of jobs at rest grow stale; one pass a second over all
 * jobs brings them up to date. Nothing of this is in snapshots: a new master begins without debts.
 */
import { DiscoError } from "../../errors.ts";
import type { JobMachine } from "../job/machine.ts";
import type { Cluster, Node } from "./cluster.ts";
import { type Member, Turns } from "./turns.ts";

export type Policy = "fair" | "fifo";

/** Disco's: it remembers for a quarter of an hour. */
export const defaultAlpha = 0.001;
/** Of its share, that the credit of a job may bring it (F1). */
const creditShareMax = 0.5;
const refreshMs = 1_000;
const msPerSecond = 1_000;

export class JobOrder {
  readonly #policy: Policy;
  readonly #cluster: Cluster;
  /** Logarithm of what is left of an average after a second. */
  readonly #decay: number;
  /** Of those that have a task to hand out. */
  readonly #turns = new Turns<Entry>();
  readonly #entries = new Map<JobMachine, Entry>();
  /** Jobs that have a task to hand out, and no use for any node with room (F4). */
  readonly #asleep = new Set<Entry>();
  /** `Cluster.changes` when sleepers were last looked at. */
  #wokenAt = 0;
  /** Jobs that have or want slots. */
  #present = 0;
  #submitted = 0;
  #now = 0;
  #refreshedAt = 0;
  /** What is left of an average after `#leftMs`: the last one asked for. */
  #left = 1;
  #leftMs = 0;

  constructor(policy: Policy, alpha: number, cluster: Cluster) {
    if (!(alpha > 0 && alpha <= 1))
      throw new DiscoError(`the scheduler's alpha is ${alpha}`, {
        code: "bad-option",
        hint: "Give a number above 0, and at most 1.",
      });
    this.#policy = policy;
    this.#decay = Math.log(1 - alpha);
    this.#cluster = cluster;
  }

  /** What is done from now on happens at this time (ms since 1970). It may lie before the last one. */
  clock(at: number): void {
    this.#now = at;
  }

  /** Brings all credits up to date, once a second. To be called before jobs are served; a replay has no need of it. */
  refresh(): void {
    if (this.#policy !== "fair" || Math.abs(this.#now - this.#refreshedAt) < refreshMs) return;
    this.#refreshedAt = this.#now;
    for (const entry of this.#entries.values()) this.#average(entry);
    this.#turns.rekey((entry) => this.#keyOf(entry));
  }

  add(job: JobMachine): void {
    const entry: Entry = {
      job,
      rank: this.#submitted++,
      live: 0,
      hungry: false,
      credit: 0,
      since: this.#now,
      place: -1,
    };
    this.#entries.set(job, entry);
    this.update(job);
  }

  delete(job: JobMachine): void {
    const entry = this.#entries.get(job);
    if (entry === undefined) return;
    if (isPresent(entry)) this.#present--;
    this.#turns.delete(entry);
    this.#asleep.delete(entry);
    this.#entries.delete(job);
  }

  /** To be called when the job's hunger or its number of live attempts may have changed. */
  update(job: JobMachine): void {
    const entry = this.#entries.get(job);
    if (entry === undefined) return;
    if (this.#policy === "fair") this.#average(entry);
    this.#asleep.delete(entry);
    if (isPresent(entry)) this.#present--;
    entry.live = job.live;
    entry.hungry = job.hungry;
    if (isPresent(entry)) this.#present++;
    if (entry.hungry) this.#turns.put(entry, this.#keyOf(entry));
    else this.#turns.delete(entry);
  }

  first(): JobMachine | undefined {
    return this.#turns.first()?.job;
  }

  /** Takes a job out of turn until `update` puts it back. */
  setAside(job: JobMachine): void {
    const entry = this.#entries.get(job);
    if (entry !== undefined) this.#turns.delete(entry);
  }

  /** Takes a job that can use none of the nodes with room out of turn, until it can (F4). */
  sleep(job: JobMachine): void {
    const entry = this.#entries.get(job);
    if (entry === undefined) return;
    this.#turns.delete(entry);
    this.#asleep.add(entry);
  }

  /** To be called before jobs are served. `canUse`: whether the job has a task for one of these nodes, which have room. */
  wake(canUse: (job: JobMachine, nodes: readonly Node[]) => boolean): void {
    const { gainedRoom, changes } = this.#cluster;
    if (this.#asleep.size > 0) {
      const isForAll = changes !== this.#wokenAt;
      const nodes = [...gainedRoom].filter((node) => this.#cluster.hasRoom(node));
      for (const { job } of isForAll || nodes.length > 0 ? this.#asleep : []) {
        if (isForAll || canUse(job, nodes)) this.update(job);
      }
    }
    this.#wokenAt = changes;
    gainedRoom.clear();
  }

  /** Slots that are a job's right. */
  get #share(): number {
    return this.#cluster.slots / Math.max(1, this.#present);
  }

  /** Takes the time since the last call into the job's average. */
  #average(entry: Entry): void {
    const ms = this.#now - entry.since;
    entry.since = this.#now;
    if (ms <= 0) return;
    let deficit = this.#share - entry.live;
    if (deficit > 0 && !entry.hungry) deficit = 0;
    if (deficit < 0 && !this.#othersWant(entry)) deficit = 0;
    if (ms !== this.#leftMs) {
      this.#leftMs = ms;
      this.#left = Math.exp((this.#decay * ms) / msPerSecond);
    }
    entry.credit = deficit + (entry.credit - deficit) * this.#left;
  }

  #othersWant(entry: Entry): boolean {
    const isCounted = entry.place >= 0 || this.#asleep.has(entry);
    return this.#turns.size + this.#asleep.size > (isCounted ? 1 : 0);
  }

  /** The smallest is served first. */
  #keyOf({ live, credit }: Entry): number {
    if (this.#policy === "fifo") return 0;
    const most = this.#share * creditShareMax;
    return live - Math.min(Math.max(credit, -most), most);
  }
}

interface Entry extends Member {
  readonly job: JobMachine;
  /** By submission. */
  readonly rank: number;
  live: number;
  hungry: boolean;
  /** Slots below its share (above, if negative), averaged up to `since`. */
  credit: number;
  since: number;
}

function isPresent({ live, hungry }: Entry): boolean {
  return hungry || live > 0;
}
