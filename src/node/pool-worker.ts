/** A worker process with the job it is bound to and the tasks that lie at it. The first of them is the one that runs. */
import type { AttemptId, TaskProgress, WorkerTask } from "../protocol/messages.ts";
import type { JobHome } from "./job-home.ts";
import type { StartedProcess } from "./spare-worker.ts";
import type { WorkerHandle } from "./worker-handle.ts";

export interface PoolTask {
  readonly task: WorkerTask;
  readonly home: JobHome;
  readonly taskTimeoutMs: number | null;
  readonly memoryLimitBytes: number;
}

export class PoolWorker {
  readonly id: string;
  readonly job: string;
  readonly source: StartedProcess;
  readonly process: WorkerHandle;
  readonly memoryLimitBytes: number;
  readonly boundAt: number;
  /** Takes no further task, and goes when it has finished those it has. */
  retiring = false;
  /** It stands idle and was told to exit: its slot is free. */
  leaving = false;
  /** It is ready and was told its job. */
  bound = false;
  /** The nodes' data servers that it was told last. */
  dataServers: Readonly<Record<string, string>> | undefined;
  /** We killed it: what it says from now on does not count. */
  killed = false;
  /** The first of its tasks has begun, at `startedAt` (ms of a monotonic clock); the master was told so. */
  headStarted = false;
  startedAt = 0;
  beginTold = false;
  /** Tasks that it brought to an end. */
  ended = 0;
  /** One of its tasks failed: its functions may have left anything behind. */
  tainted = false;
  /** Its resident memory at most, as its tasks reported. */
  peakRss = 0;
  timedOutAfterMs: number | null = null;
  /** For whom it can work after this job (`parked-workers.ts`). */
  readonly parkingKey: string | null;
  readonly tasks: PoolTask[] = [];
  /** When the running task could begin (or the worker became idle), and when it last moved on; ms of a monotonic clock. */
  headSince = 0;
  movedAt = 0;
  /** Called once, when the process is gone. */
  onEnd: (() => void) | null = null;
  #progress: TaskProgress | null = null;
  #droppedBytes: number;

  constructor(id: string, job: string, started: StartedProcess, parkingKey: string | null, now: number) {
    const { process, memoryLimitBytes } = started;
    this.id = id;
    this.job = job;
    this.source = started;
    this.process = process;
    this.parkingKey = parkingKey;
    this.#droppedBytes = process.droppedOutputBytes;
    this.memoryLimitBytes = memoryLimitBytes;
    this.boundAt = now;
  }

  /** It may get tasks. */
  get open(): boolean {
    return !this.retiring && !this.killed;
  }

  /** It may serve another job with the same code. */
  get isReusable(): boolean {
    const { state } = this.process;
    return this.open && this.bound && this.ended > 0 && !this.tainted && state === "ready";
  }

  get head(): PoolTask | undefined {
    return this.tasks[0];
  }

  push(task: PoolTask, now: number): void {
    if (this.tasks.length === 0) this.#turnTo(now);
    this.tasks.push(task);
  }

  /** Takes an ended task out; `null` if it is none of ours (a worker speaks for its own tasks only). */
  take(id: AttemptId, now: number): PoolTask | null {
    const at = this.tasks.findIndex(({ task }) => sameAttempt(task, id));
    if (at < 0) return null;
    const [taken] = this.tasks.splice(at, 1);
    this.ended++;
    if (at === 0) this.#turnTo(now);
    return taken ?? null;
  }

  holds(id: AttemptId): boolean {
    return this.tasks.some(({ task }) => sameAttempt(task, id));
  }

  /** The first task has begun. */
  started(now: number): void {
    this.headStarted = true;
    this.startedAt = now;
    this.movedAt = now;
  }

  moved(progress: TaskProgress, now: number): void {
    const before = this.#progress;
    const same =
      before !== null &&
      progress.recordsIn === before.recordsIn &&
      progress.recordsOut === before.recordsOut &&
      progress.bytesIn === before.bytesIn;
    this.#progress = progress;
    if (!same) this.movedAt = now;
  }

  /** Its running task has made no progress for too long; then it notes so. */
  isOverdue(now: number): boolean {
    const limit = this.head?.taskTimeoutMs ?? null;
    if (limit === null || this.killed || now - this.movedAt < limit) return false;
    if (this.process.quietMs !== undefined && this.process.quietMs < limit) return false;
    this.timedOutAfterMs = limit;
    return true;
  }

  /** Bytes of its stdout and stderr that were not kept since the last call. */
  newlyDroppedBytes(): number {
    const all = this.process.droppedOutputBytes;
    const bytes = all - this.#droppedBytes;
    this.#droppedBytes = all;
    return bytes;
  }

  #turnTo(now: number): void {
    this.headSince = now;
    this.movedAt = now;
    this.headStarted = false;
    this.beginTold = false;
    this.#progress = null;
  }
}

export function sameAttempt(a: AttemptId, b: AttemptId): boolean {
  return a.task === b.task && a.attempt === b.attempt && a.stage === b.stage && a.job === b.job;
}
