/**
 * One stage of a job: the state of its tasks, in columns.
 *
 * ```
 *            assigned                     done (the first attempt that says so)
 *  waiting ───────────▶ running ─────────────────────────▶ done
 *   ▲ ▲ ▲                │ │ │                              │ ▲
 *   │ │ └── lost ────────┘ │ └─ failed ─▶ (the job is dead) │ │ output found again
 *   │ │        failed      ▼                                ▼ │
 *   │ └─────────────── sleeping                   lost output: gone
 *   │     timer                                             │
 *   └── output needed again, or input changed ──────────────┘
 * ```
 * S1. `counts` are the numbers of tasks in each state.
 * S2. A task has live attempts if and only if it is running. Only a live attempt can finish a task.
 * S3. A done task has an output in `outputs`; a gone one has the output that was lost.
 * S4. A task sleeps if and only if its trouble has a time to wake.
 * S5. `missing` holds the gone tasks, and tasks that were gone and are waiting, sleeping or running since they are needed.
 * S6. Attempt numbers of a task and versions of a stage rise and are never used again, also when a stage is planned
 *     anew: nodes know attempts, and keep manifests, by these numbers.
 * S7. A stage that is open (`concurrent.ts`) is not complete: it may still get tasks, and its tasks inputs.
 */

import { Durations } from "./durations.ts";
import { Outputs } from "./outputs.ts";
import type { Group } from "./plan.ts";
import { groupKey } from "./plan.ts";
import type { Trouble } from "./retry.ts";
import { noTrouble } from "./retry.ts";
import type { Label, StageSpec } from "./spec.ts";
import { WaitQueue } from "./wait-queue.ts";

export const waiting = 0;
export const sleeping = 1;
export const running = 2;
export const done = 3;
export const gone = 4;
export const stateNames = ["waiting", "sleeping", "running", "done", "gone"] as const;
export type TaskState = 0 | 1 | 2 | 3 | 4;

/** One live attempt. */
export interface Attempt {
  readonly attempt: number;
  readonly host: string;
  /** When it was assigned. */
  readonly at: number;
  /** It was started beside another one that is slow. */
  readonly speculative?: true;
}

/** What consumers may have read of an output that was made again and came out differently. */
export interface Changed {
  readonly labels: Set<Label>;
  readonly hosts: Set<string>;
}

/** Attempt numbers and versions below these were used by a stage that was planned before in the same place. */
export interface Used {
  readonly attempts: number;
  readonly versions: number;
}

export const unused: Used = { attempts: 0, versions: 0 };

function* upTo(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}

export class Stage {
  readonly number: number;
  readonly spec: StageSpec;
  /** One a task. Replaced by equal ones that lie elsewhere when the outputs they are made of have moved. */
  groups: readonly Group[];
  /** The stage before runs, and this one takes what it has made so far. */
  open = false;
  /** When it ceased to be open, ms since 1970; 0: it never was. */
  closedAt = 0;
  /** Tasks in the order of their groups, where that is not the one of their numbers. */
  order: readonly number[] | null = null;
  /** For consumers that are open: tasks in the order in which their outputs came, again where they were made again. */
  readonly came: number[] = [];
  readonly outputs: Outputs;
  queue: WaitQueue;
  readonly counts: Int32Array = new Int32Array(5);
  /** Live attempts by task. */
  readonly live = new Map<number, Attempt[]>();
  /** `beganAt`. Most stages are over before a node says so of any attempt. */
  #begun: WeakMap<Attempt, number> | null = null;
  readonly troubles = new Map<number, Trouble>();
  /** Outputs of this stage that differ from what consumers may have read; dealt with when the stage is complete. */
  readonly changed = new Map<number, Changed>();
  /**
   * Tasks whose output is `gone`, and those that run again for no other reason: found again, it is as good as ever. The
   * value says whether it can be: the node vanished with it (`true`), or the output itself is bad.
   */
  readonly missing = new Map<number, boolean>();
  #state: Uint8Array;
  #nextAttempt: Int32Array;
  /** Tasks by `groupKey`, for a stage that grows. */
  #byKey: Map<string, number> | null = null;
  /** Number of the first attempt of each task (S6). */
  readonly firstAttempt: number;
  /** Rises whenever an output moved or changed after consumers could have seen it. */
  version: number;
  /** Attempts that failed. */
  failed = 0;
  plannedAt: number;
  /**
   * Until when tasks are kept for nodes that hold their input (`scheduler/late-binding.ts`): 0 if no node was passed by yet,
   * `waitedOut` if they were kept long enough.
   */
  heldUntil = 0;
  /** Of the done tasks: how long they ran. */
  readonly durations = new Durations();
  /** When the last attempt of the stage ended, ms since 1970; not in snapshots. */
  movedAt = 0;
  /** Running tasks that got a speculative attempt since they last waited: there is no second one. */
  readonly startedAgain = new Set<number>();
  /** Of all groups. */
  bytesTotal = 0;

  constructor(number: number, spec: StageSpec, groups: readonly Group[], plannedAt: number, used: Used = unused) {
    this.number = number;
    this.spec = spec;
    this.groups = groups;
    this.plannedAt = plannedAt;
    this.outputs = new Outputs(groups.length);
    this.#state = new Uint8Array(groups.length);
    this.#nextAttempt = new Int32Array(groups.length).fill(used.attempts);
    this.firstAttempt = used.attempts;
    this.version = used.versions;
    this.counts[waiting] = groups.length;
    for (const group of groups) this.bytesTotal += group.bytes;
    this.queue = new WaitQueue(this);
  }

  get tasks(): number {
    return this.groups.length;
  }

  /** No task has to run (any more). */
  get complete(): boolean {
    return this.count(done) + this.count(gone) === this.tasks && !this.open;
  }

  /** Its tasks wait for inputs that are not made yet, when they run. What reads one output has all that it will ever have. */
  get awaitsInput(): boolean {
    return this.open && this.spec.grouping !== "split";
  }

  /** No task waits for its turn, and no output is being made again: consumers find all that was made so far. */
  get settled(): boolean {
    const there = this.count(done) + this.count(gone);
    return this.count(waiting) === 0 && this.count(sleeping) === 0 && there === this.outputs.size;
  }

  /** Its tasks in the order of their groups: whatever the order in which they came, it is the same. */
  inOrder(): Iterable<number> {
    return this.order ?? upTo(this.tasks);
  }

  /** The task that has this group; `undefined`: there is none (yet). */
  taskOf(key: string): number | undefined {
    if (this.#byKey === null) {
      this.#byKey = new Map();
      for (const [task, group] of this.groups.entries()) this.#byKey.set(groupKey(group), task);
    }
    return this.#byKey.get(key);
  }

  /** Adds a task. */
  grow(group: Group): void {
    const task = this.tasks;
    this.taskOf("");
    this.#byKey?.set(groupKey(group), task);
    // Of its own since it was planned or restored.
    (this.groups as Group[]).push(group);
    this.outputs.grow(task + 1);
    if (task >= this.#state.length) {
      const capacity = Math.max(16, task * 2);
      const states = new Uint8Array(capacity);
      states.set(this.#state);
      const next = new Int32Array(capacity).fill(this.firstAttempt);
      next.set(this.#nextAttempt);
      this.#state = states;
      this.#nextAttempt = next;
    }
    this.bytesTotal += group.bytes;
    this.counts[waiting] = this.count(waiting) + 1;
    this.queue.push(task);
  }

  /** A task has another input. */
  feed(task: number, bytes: number): void {
    const group = this.group(task);
    (this.groups as Group[])[task] = { ...group, bytes: group.bytes + bytes };
    this.bytesTotal += bytes;
  }

  count(state: TaskState): number {
    return this.counts[state] as number;
  }

  state(task: number): TaskState {
    return this.#state[task] as TaskState;
  }

  move(task: number, to: TaskState): void {
    const from = this.state(task);
    this.counts[from] = this.count(from) - 1;
    this.counts[to] = this.count(to) + 1;
    this.#state[task] = to;
    if (from === sleeping) this.trouble(task).wakeAt = 0;
    if (from === running) this.startedAgain.delete(task);
    if (from === waiting && this.count(waiting) === 0) this.heldUntil = 0;
    if (to === waiting) this.queue.push(task);
  }

  /** Enters all waiting tasks in a new queue: after construction, restoration, or when inputs have moved. */
  fillQueue(): void {
    this.queue = new WaitQueue(this);
    for (let task = 0; task < this.tasks; task++) if (this.waits(task)) this.queue.push(task);
  }

  nextAttempt(task: number): number {
    return this.#nextAttempt[task] as number;
  }

  setNextAttempt(task: number, attempt: number): void {
    this.#nextAttempt[task] = attempt;
  }

  /** What the stage that takes the place of this one must not use again (S6). */
  used(): Used {
    return { attempts: this.#nextAttempt.reduce((most, next) => Math.max(most, next), 0), versions: this.version + 1 };
  }

  addAttempt(task: number, attempt: Attempt): void {
    const live = this.live.get(task);
    if (live === undefined) this.live.set(task, [attempt]);
    else live.push(attempt);
    this.#nextAttempt[task] = attempt.attempt + 1;
    if (this.state(task) !== running) this.move(task, running);
  }

  /** The attempt, if it is live (S2): the fence that every report has to pass. */
  liveAttempt(task: number, attempt: number): Attempt | undefined {
    return this.live.get(task)?.find((one) => one.attempt === attempt);
  }

  /** Takes the attempt off the task; says whether others are left. The caller moves a task without attempts. */
  endAttempt(task: number, attempt: number): boolean {
    const left = (this.live.get(task) ?? []).filter((one) => one.attempt !== attempt);
    if (left.length > 0) this.live.set(task, left);
    else this.live.delete(task);
    return left.length > 0;
  }

  /**
   * When the live attempt began, as far as its node has said so (ms since 1970). A hint: it is not journaled, and no event is
   * decided by it.
   */
  beganAt(attempt: Attempt): number | undefined {
    return this.#begun?.get(attempt);
  }

  /** What a node says first, counts. */
  noteBegun(attempt: Attempt, at: number): void {
    this.#begun ??= new WeakMap();
    if (!this.#begun.has(attempt)) this.#begun.set(attempt, Math.max(at, attempt.at));
  }

  trouble(task: number): Trouble {
    let trouble = this.troubles.get(task);
    if (trouble === undefined) {
      trouble = noTrouble();
      this.troubles.set(task, trouble);
    }
    return trouble;
  }

  /** The group of a task that is known to exist. */
  group(task: number): Group {
    return this.groups[task] as Group;
  }

  // What the queue wants to know.

  waits(task: number): boolean {
    return this.#state[task] === waiting;
  }

  hosts(task: number): readonly string[] {
    return this.group(task).hosts;
  }

  picky(task: number): boolean {
    return (this.troubles.get(task)?.avoid.length ?? 0) > 0;
  }

  /** Set by the job: whether a task that avoids this host may run there after all. */
  mayReturn: (task: number, host: string) => boolean = () => false;

  allowed(task: number, host: string): boolean {
    return this.troubles.get(task)?.avoid.includes(host) !== true || this.mayReturn(task, host);
  }
}
