/**
 * Waiting tasks of one stage, in the order in which they are to run, by where their input lies.
 *
 * A task is entered in several lists at once and taken from one; the entries left behind are recognised (the task does
 * not wait any more) and dropped when they come to the front. So nothing is searched or removed from a middle, and an
 * event costs O(1) amortised however many tasks there are.
 *
 * Q1. Every waiting task has an entry in `#anywhere` or `#picky`.
 * Q2. A task that must keep off some host (`pick` is told by `picky`) is served from `#picky` only.
 */

/** Entries of `#picky` that one pick looks at. They are few: tasks that failed because of a node. */
const pickyScanMax = 64;

/** Dropped entries are cleared away when there are so many, and more than half. */
const dropBatch = 256;

/** No task waits for the host. */
const nobody = -1;

/** `local-first`: as `anywhere`, but tasks whose input lies on some node go there only. */
export type Placement = "anywhere" | "local" | "remote" | "local-first";

export interface Waiting {
  waits(task: number): boolean;
  hosts(task: number): readonly string[];
  picky(task: number): boolean;
  /** For a picky task: whether it may run on this host. */
  allowed(task: number, host: string): boolean;
}

export class WaitQueue {
  readonly #tasks: Waiting;
  readonly #anywhere = new Fifo();
  /**
   * Tasks by a host that holds their input; under `null` those whose input is nobody's. Most lists never have more than one task: of
   * ten thousand jobs with a hundred inputs on a hundred nodes they are a million. So one task is its number, none is `nobody`.
   */
  readonly #byHost = new Map<string | null, number | Fifo>();
  #picky: number[] = [];
  /** As `peekAbandoned` found all holders worth waiting for; -1: one was not, or another one has come since. */
  #worthyAt = -1;

  constructor(tasks: Waiting) {
    this.#tasks = tasks;
  }

  push(task: number): void {
    if (this.#tasks.picky(task)) {
      this.#picky.push(task);
      return;
    }
    this.#anywhere.push(task);
    const hosts = this.#tasks.hosts(task);
    if (hosts.length === 0) this.#enter(null, task);
    for (const host of hosts) this.#enter(host, task);
  }

  /** Some task's input lies on some node, so that it matters which node is asked first. */
  get placed(): boolean {
    return this.#byHost.size > (this.#byHost.has(null) ? 1 : 0);
  }

  /** Lists of tasks by a host that holds their input; nobody's under `null`. Some may be empty. */
  get hosts(): ReadonlyMap<string | null, unknown> {
    return this.#byHost;
  }

  /** Some task could go to any node, or has to keep off some. */
  get anyUnplaced(): boolean {
    return this.#picky.length > 0 || this.#frontOf(null) >= 0;
  }

  /** Some task may have to keep off some host. */
  get anyPicky(): boolean {
    return this.#picky.length > 0;
  }

  /** Hosts that hold the input of a waiting task. */
  holders(): string[] {
    return [...this.#byHost.keys()].filter((host) => host !== null && this.hasLocal(host)) as string[];
  }

  hasLocal(host: string): boolean {
    return this.#frontOf(host) >= 0;
  }

  /** The next task for this host, or -1. It stays in the queue until it does not wait any more. */
  peek(host: string, placement: Placement): number {
    const picky = this.#peekPicky(host, placement);
    if (picky >= 0) return picky;
    if (placement !== "remote") {
      const local = this.#frontOf(host);
      if (local >= 0) return local;
    }
    const homeless = this.#frontOf(null);
    if (homeless >= 0 || placement === "local" || placement === "local-first") return homeless;
    if (placement === "anywhere") return this.#front(this.#anywhere);
    return this.#peekRemote(host);
  }

  /**
   * A task whose input lies on nodes that are not worth waiting for, or -1. It looks at one task a node. As long as `version` is the
   * same, so is what `worthy` answers.
   */
  peekAbandoned(worthy: (host: string) => boolean, version: number): number {
    if (this.#worthyAt === version) return -1;
    this.#worthyAt = version;
    for (const host of this.#byHost.keys()) {
      if (host === null || worthy(host)) continue;
      this.#worthyAt = -1;
      const task = this.#frontOf(host);
      if (task >= 0 && !this.#tasks.hosts(task).some(worthy)) return task;
    }
    return -1;
  }

  #peekRemote(host: string): number {
    for (const holder of this.#byHost.keys()) {
      if (holder === null || holder === host) continue;
      const task = this.#frontOf(holder);
      if (task >= 0 && !this.#tasks.hosts(task).includes(host)) return task;
    }
    return -1;
  }

  #peekPicky(host: string, placement: Placement): number {
    const list = this.#picky;
    if (list.length === 0) return -1;
    let kept = 0;
    let looked = 0;
    let found = -1;
    for (; looked < list.length && looked < pickyScanMax && found < 0; looked++) {
      const task = list[looked] as number;
      if (!this.#tasks.waits(task)) continue;
      list[kept++] = task;
      if (this.#fits(task, host, placement) && this.#tasks.allowed(task, host)) found = task;
    }
    // What this host may not take goes behind the rest, so that a long list is seen whole in the end.
    this.#picky =
      found >= 0 || looked === list.length
        ? [...list.slice(0, kept), ...list.slice(looked)]
        : [...list.slice(looked), ...list.slice(0, kept)];
    return found;
  }

  #fits(task: number, host: string, placement: Placement): boolean {
    if (placement === "anywhere" || placement === "local-first") return true;
    const hosts = this.#tasks.hosts(task);
    return hosts.length === 0 || hosts.includes(host) === (placement === "local");
  }

  #frontOf(host: string | null): number {
    const list = this.#byHost.get(host) ?? nobody;
    if (typeof list !== "number") return this.#front(list);
    if (list === nobody || this.#isListed(list)) return list;
    this.#byHost.set(host, nobody);
    return nobody;
  }

  #front(list: Fifo): number {
    for (;;) {
      const task = list.first();
      if (task < 0 || this.#isListed(task)) return task;
      list.drop();
    }
  }

  #isListed(task: number): boolean {
    return this.#tasks.waits(task) && !this.#tasks.picky(task);
  }

  #enter(host: string | null, task: number): void {
    const list = this.#byHost.get(host);
    if (list === undefined) this.#worthyAt = -1;
    if (list === undefined || list === nobody) {
      this.#byHost.set(host, task);
    } else if (typeof list === "number") {
      const both = new Fifo();
      both.push(list);
      both.push(task);
      this.#byHost.set(host, both);
    } else {
      list.push(task);
    }
  }
}

/** Numbers, none below 0, first in, first out. The first one needs no array. */
class Fifo {
  #first = -1;
  #more: number[] | null = null;
  /** Index of the next one in `#more`. */
  #from = 0;

  /** -1: it is empty. */
  first(): number {
    return this.#first;
  }

  drop(): void {
    const more = this.#more;
    this.#first = more?.[this.#from] ?? -1;
    if (more === null) return;
    this.#from++;
    if (this.#from < dropBatch && this.#from < more.length) return;
    if (this.#from >= more.length) {
      this.#more = null;
    } else if (this.#from * 2 >= more.length) {
      more.splice(0, this.#from);
    } else {
      return;
    }
    this.#from = 0;
  }

  push(item: number): void {
    if (this.#first < 0) this.#first = item;
    else if (this.#more === null) this.#more = [item];
    else this.#more.push(item);
  }
}
