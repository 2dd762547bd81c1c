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
 * jobs brings them up to date. For that pass what is known of the jobs lies in columns, a row a job, and a row that became free is
 * given to the next job. Nothing of this is in snapshots: a new master begins without debts.
 */
import { DiscoError } from "../../errors.ts";
import type { JobMachine } from "../job/machine.ts";
import type { Cluster, Node } from "./cluster.ts";
import { Turns } from "./turns.ts";

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
  readonly #turns = new Turns();
  readonly #rows = new Map<JobMachine, number>();
  readonly #freeRows: number[] = [];
  /** Rows of jobs that have a task to hand out, and no use for any node with room (F4). */
  readonly #asleep = new Set<number>();
  // The columns.
  readonly #jobs: (JobMachine | undefined)[] = [];
  /** By submission. */
  readonly #ranks: number[] = [];
  readonly #live: number[] = [];
  readonly #hungry: boolean[] = [];
  /** Slots below the job's share (above, if negative), averaged up to `#since`. */
  readonly #credits: number[] = [];
  readonly #since: number[] = [];
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
    for (let row = 0; row < this.#jobs.length; row++) if (this.#jobs[row] !== undefined) this.#average(row);
    this.#turns.rekey((row) => this.#keyOf(row));
  }

  add(job: JobMachine): void {
    const row = this.#freeRows.pop() ?? this.#jobs.length;
    this.#jobs[row] = job;
    this.#ranks[row] = this.#submitted++;
    this.#live[row] = 0;
    this.#hungry[row] = false;
    this.#credits[row] = 0;
    this.#since[row] = this.#now;
    this.#rows.set(job, row);
    this.update(job);
  }

  delete(job: JobMachine): void {
    const row = this.#rows.get(job);
    if (row === undefined) return;
    if (this.#isPresent(row)) this.#present--;
    this.#turns.delete(row);
    this.#asleep.delete(row);
    this.#rows.delete(job);
    this.#jobs[row] = undefined;
    this.#freeRows.push(row);
  }

  /** To be called when the job's hunger or its number of live attempts may have changed. */
  update(job: JobMachine): void {
    const row = this.#rows.get(job);
    if (row === undefined) return;
    if (this.#policy === "fair") this.#average(row);
    this.#asleep.delete(row);
    if (this.#isPresent(row)) this.#present--;
    const { live, hungry } = job;
    this.#live[row] = live;
    this.#hungry[row] = hungry;
    if (this.#isPresent(row)) this.#present++;
    if (hungry) this.#turns.put(row, this.#ranks[row] as number, this.#keyOf(row));
    else this.#turns.delete(row);
  }

  first(): JobMachine | undefined {
    const row = this.#turns.first();
    return row < 0 ? undefined : this.#jobs[row];
  }

  /** Takes a job out of turn until `update` puts it back. */
  setAside(job: JobMachine): void {
    const row = this.#rows.get(job);
    if (row !== undefined) this.#turns.delete(row);
  }

  /** Takes a job that can use none of the nodes with room out of turn, until it can (F4). */
  sleep(job: JobMachine): void {
    const row = this.#rows.get(job);
    if (row === undefined) return;
    this.#turns.delete(row);
    this.#asleep.add(row);
  }

  /** To be called before jobs are served. `canUse`: whether the job has a task for one of these nodes, which have room. */
  wake(canUse: (job: JobMachine, nodes: readonly Node[]) => boolean): void {
    const { gainedRoom, changes } = this.#cluster;
    if (this.#asleep.size > 0) {
      const isForAll = changes !== this.#wokenAt;
      const nodes = [...gainedRoom].filter((node) => this.#cluster.hasRoom(node));
      for (const row of isForAll || nodes.length > 0 ? this.#asleep : []) {
        const job = this.#jobs[row] as JobMachine;
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
  #average(row: number): void {
    const ms = this.#now - (this.#since[row] as number);
    this.#since[row] = this.#now;
    if (ms <= 0) return;
    let deficit = this.#share - (this.#live[row] as number);
    if (deficit > 0 && this.#hungry[row] !== true) deficit = 0;
    if (deficit < 0 && !this.#othersWant(row)) deficit = 0;
    if (ms !== this.#leftMs) {
      this.#leftMs = ms;
      this.#left = Math.exp((this.#decay * ms) / msPerSecond);
    }
    this.#credits[row] = deficit + ((this.#credits[row] as number) - deficit) * this.#left;
  }

  #othersWant(row: number): boolean {
    const isCounted = this.#turns.has(row) || this.#asleep.has(row);
    return this.#turns.size + this.#asleep.size > (isCounted ? 1 : 0);
  }

  /** The smallest is served first. */
  #keyOf(row: number): number {
    if (this.#policy === "fifo") return 0;
    const most = this.#share * creditShareMax;
    return (this.#live[row] as number) - Math.min(Math.max(this.#credits[row] as number, -most), most);
  }

  /** The job has or wants slots. */
  #isPresent(row: number): boolean {
    return this.#hungry[row] === true || (this.#live[row] as number) > 0;
  }
}
