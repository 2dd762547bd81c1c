/**
 * The tasks of one job that wait on this node, and the workers bound to that job.
 *
 * How many tasks lie at a worker adapts to how long they take. A worker that must wait for the next message between two
 * tasks of 0.1 ms stands idle most of the time; a worker that holds three tasks of a minute keeps them from others. So each
 * holds about `queuedWorkMs` of work, at least one task, at most `workerQueueMax`.
 */
import type { AttemptId, WorkerTask } from "../protocol/messages.ts";
import { type PoolTask, type PoolWorker, sameAttempt } from "./pool-worker.ts";

const queuedWorkMs = 10;
export const workerQueueMax = 32;
/** Tasks longer than this gain nothing from a second one in waiting. */
const longTaskMs = 100;
/** Weight of the newest task in the running mean. */
const newestWeight = 0.2;

export class JobQueue {
  readonly job: string;
  readonly workers = new Set<PoolWorker>();
  /** The job brings its own worker. */
  isForeign = false;
  /** Before `#from` they are taken, and gone: what V8 finds alive in two collections, it keeps for long. */
  #waiting: (PoolTask | undefined)[] = [];
  #from = 0;
  #meanMs: number | null = null;

  constructor(job: string) {
    this.job = job;
  }

  get waiting(): number {
    return this.#waiting.length - this.#from;
  }

  get next(): PoolTask | undefined {
    return this.#waiting[this.#from];
  }

  push(task: PoolTask): void {
    if (task.task.foreign !== undefined) this.isForeign = true;
    this.#waiting.push(task);
  }

  /** Tasks that a dead worker had not begun go first. */
  unshift(tasks: readonly PoolTask[]): void {
    this.#waiting = [...tasks, ...this.#waiting.slice(this.#from)];
    this.#from = 0;
  }

  shift(): PoolTask | undefined {
    const task = this.#waiting[this.#from];
    if (task === undefined) return undefined;
    this.#waiting[this.#from] = undefined;
    this.#from++;
    // Now and then, so that neither the array grows for ever nor every shift moves all of it.
    if (this.#from >= 1024 && this.#from * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#from);
      this.#from = 0;
    }
    return task;
  }

  remove(id: AttemptId): boolean {
    const at = this.#waiting.findIndex((waiting) => waiting !== undefined && sameAttempt(waiting.task, id));
    if (at < 0) return false;
    this.#waiting.splice(at, 1);
    return true;
  }

  /** Those that wait. */
  all(): PoolTask[] {
    return this.#waiting.slice(this.#from) as PoolTask[];
  }

  clear(): PoolTask[] {
    const all = this.all();
    this.#waiting = [];
    this.#from = 0;
    return all;
  }

  /** Takes tasks from the queue for the job's workers that have room, as many as each should have. */
  deal(now: number): Map<PoolWorker, WorkerTask[]> {
    const { depth } = this;
    const dealt = new Map<PoolWorker, WorkerTask[]>();
    // A worker is filled up when it is down to half, so that several tasks go in one message.
    const open = [...this.workers].filter((worker) => worker.bound && worker.open && worker.tasks.length <= depth / 2);
    // Breadth first: nobody gets a second task while another worker has none.
    for (let level = 1; level <= depth; level++) {
      for (const worker of open) {
        const task = worker.tasks.length < level ? this.shift() : undefined;
        if (task === undefined) continue;
        worker.push(task, now);
        const tasks = dealt.get(worker);
        if (tasks === undefined) dealt.set(worker, [task.task]);
        else tasks.push(task.task);
      }
    }
    return dealt;
  }

  took(ms: number): void {
    this.#meanMs = this.#meanMs === null ? ms : this.#meanMs + newestWeight * (ms - this.#meanMs);
  }

  /** How many tasks may lie at one worker now. */
  get depth(): number {
    // A process a task: the next costs much more than the message, and the running one may wait for what lies behind it.
    if (this.isForeign) return 1;
    if (this.#meanMs === null || this.#meanMs > longTaskMs) return 1;
    return Math.min(workerQueueMax, 1 + Math.ceil(queuedWorkMs / Math.max(this.#meanMs, 0.01)));
  }
}
