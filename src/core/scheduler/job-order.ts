/**
 * Which job is served next, among those that have a task to hand out. An indexed binary heap: a job's place changes with
 * each task that starts or ends, and there may be ten thousand jobs.
 *
 * `fair`: the job with the fewest live attempts, so that each job gets an equal share of the slots and what one cannot
 * use goes to the others. `fifo`: the job that was submitted first. Ties: the older job.
 */
import type { JobMachine } from "../job/machine.ts";

export type Policy = "fair" | "fifo";

export class JobOrder {
  readonly #policy: Policy;
  readonly #heap: Entry[] = [];
  readonly #entries = new Map<JobMachine, Entry>();
  #submitted = 0;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  add(job: JobMachine): void {
    this.#entries.set(job, { job, order: this.#submitted++, live: 0, place: -1 });
    this.update(job);
  }

  delete(job: JobMachine): void {
    const entry = this.#entries.get(job);
    if (entry === undefined) return;
    this.#remove(entry);
    this.#entries.delete(job);
  }

  /** To be called when the job's hunger or its number of live attempts may have changed. */
  update(job: JobMachine): void {
    const entry = this.#entries.get(job);
    if (entry === undefined) return;
    entry.live = job.live;
    if (!job.hungry) this.#remove(entry);
    else if (entry.place < 0) this.#insert(entry);
    else this.#settle(entry);
  }

  first(): JobMachine | undefined {
    return this.#heap[0]?.job;
  }

  /** Takes a job out of turn until `update` puts it back. */
  setAside(job: JobMachine): void {
    const entry = this.#entries.get(job);
    if (entry !== undefined) this.#remove(entry);
  }

  #insert(entry: Entry): void {
    entry.place = this.#heap.length;
    this.#heap.push(entry);
    this.#settle(entry);
  }

  #remove(entry: Entry): void {
    if (entry.place < 0) return;
    const last = this.#heap.pop() as Entry;
    if (last !== entry) {
      this.#put(last, entry.place);
      this.#settle(last);
    }
    entry.place = -1;
  }

  #settle(entry: Entry): void {
    while (entry.place > 0) {
      const parent = this.#heap[(entry.place - 1) >> 1] as Entry;
      if (!this.#before(entry, parent)) break;
      this.#swap(entry, parent);
    }
    for (;;) {
      const left = this.#heap[entry.place * 2 + 1];
      const right = this.#heap[entry.place * 2 + 2];
      const child = left !== undefined && right !== undefined && this.#before(right, left) ? right : left;
      if (child === undefined || !this.#before(child, entry)) return;
      this.#swap(entry, child);
    }
  }

  #swap(a: Entry, b: Entry): void {
    const place = a.place;
    this.#put(a, b.place);
    this.#put(b, place);
  }

  #put(entry: Entry, place: number): void {
    entry.place = place;
    this.#heap[place] = entry;
  }

  #before(a: Entry, b: Entry): boolean {
    if (this.#policy === "fair" && a.live !== b.live) return a.live < b.live;
    return a.order < b.order;
  }
}

interface Entry {
  readonly job: JobMachine;
  readonly order: number;
  live: number;
  /** Index in the heap, -1: not in it. */
  place: number;
}
