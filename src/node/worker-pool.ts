/**
 * The worker processes of a node: `slots` of them at most, each bound to one job, then to another with the same code at most.
 *
 *   waiting (JobQueue) ──▶ at a worker ──▶ running (its first) ──▶ reported
 *        ▲                      │
 *        └── its worker ended ──┘    (only the running one is judged; the others never began)
 *
 * W1. Every task that was enqueued is reported exactly once as done, failed, input-lost or lost, unless it was cancelled or
 *     its job ended.
 * W2. A worker's word counts for tasks that lie at it, and only while we have not killed it.
 * W3. No process of a job is left when `endJob` has been called and a grace has passed.
 * W4. A job that has tasks gets a slot in bounded time (`slot-share.ts`).
 */
import type { AttemptId, FromWorker } from "../protocol/messages.ts";
import { BeginWatch } from "./begin-watch.ts";
import { bindMessage, tasksMessage } from "./bind-message.ts";
import type { JobHome } from "./job-home.ts";
import { JobQueue } from "./job-queue.ts";
import { ParkedWorkers } from "./parked-workers.ts";
import { type PoolTask, PoolWorker, sameAttempt } from "./pool-worker.ts";
import { chooseVictim, occupied } from "./slot-share.ts";
import { SpareWorker, StartedProcess } from "./spare-worker.ts";
import { StartFailures } from "./start-failures.ts";
import { attemptOf, TaskReports } from "./task-reports.ts";
import { TimeoutWatch } from "./timeout-watch.ts";
import type { WorkerEnd } from "./verdict.ts";
import type { WorkerPoolOptions } from "./worker-pool-options.ts";

/** An idle worker of an ended job may say goodbye for so long. */
const exitPatienceMs = 1_000;
/** A worker whose memory has grown beyond this share of its limit is not kept for another job. */
const parkedRssShare = 0.7;
/** The next spare starts so long after a worker … */
const spareDelayMs = 150;
/** … or after the end of a job. */
const spareDelayIdleMs = 2;
/** Why what waits is handed back. */
const noSlots = "the node has no worker processes any more";

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #queues = new Map<string, JobQueue>();
  readonly #workers = new Set<PoolWorker>();
  readonly #spare: SpareWorker;
  readonly #parked: ParkedWorkers;
  readonly #startFailures: StartFailures;
  readonly #reports: TaskReports;
  #slots: number;
  #workerCount = 0;
  #pumping = false;
  #closed = false;
  #closing: Promise<void> | undefined;
  readonly #timeouts: TimeoutWatch;
  readonly #begins: BeginWatch;
  #pumpTimer: NodeJS.Timeout | undefined;
  readonly #onExit = (): void => this.#killAll();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#slots = options.slots;
    const { dataDir, memoryLimitBytes, spare, script } = options;
    this.#spare = spare ?? new SpareWorker({ dataDir, memoryLimitBytes, ...(script === undefined ? {} : { script }) });
    this.#parked = new ParkedWorkers(options.slots);
    this.#reports = new TaskReports(options.report);
    this.#startFailures = new StartFailures(options.now, () => this.#pumpSoon());
    this.#timeouts = new TimeoutWatch(
      options.now,
      () => this.#workers,
      (worker) => this.#kill(worker),
    );
    this.#begins = new BeginWatch(
      options.now,
      () => this.#workers,
      (worker, agoMs) => this.#reports.began(worker, agoMs),
    );
    process.on("exit", this.#onExit);
  }

  /** Starts the spare now. */
  warm(): void {
    this.#spare.prepare();
  }

  enqueue(task: PoolTask): void {
    if (this.#closed) return;
    if (this.#slots === 0) {
      this.#reports.handedBack([task], noSlots);
      return;
    }
    const { job } = task.task;
    let queue = this.#queues.get(job);
    if (queue === undefined) this.#queues.set(job, (queue = new JobQueue(job)));
    queue.push(task);
    if (task.taskTimeoutMs !== null) this.#timeouts.start();
    this.#pumpSoon();
  }

  /** Nothing more is reported of this attempt; its worker is killed if it runs. */
  cancel(id: AttemptId): void {
    const queue = this.#queues.get(id.job);
    if (queue === undefined || queue.remove(id)) return;
    for (const worker of queue.workers) {
      const running = worker.head !== undefined && sameAttempt(worker.head.task, id);
      if (worker.take(id, this.#options.now()) === null) continue;
      if (running) this.#kill(worker, 0);
      else worker.process.send({ kind: "cancel", id });
      return;
    }
  }

  /** Of a concurrent stage: the attempt, should it run, finds more outputs to read in the manifest. */
  inputsArrived(id: AttemptId, manifestFile: string): void {
    const worker = [...(this.#queues.get(id.job)?.workers ?? [])].find((each) => each.holds(id));
    worker?.process.send({ kind: "inputs", ...attemptOf(id), manifestFile });
  }

  /** Forgets the job's tasks; its idle workers exit, its busy ones are killed. Resolves when none of them lives. */
  async endJob(job: string): Promise<void> {
    const queue = this.#queues.get(job);
    if (queue === undefined) return;
    this.#queues.delete(job);
    this.#startFailures.forget(job);
    queue.clear();
    const ends: Promise<void>[] = [];
    for (const worker of queue.workers) {
      if (this.#park(worker)) continue;
      const { promise, resolve } = Promise.withResolvers<void>();
      worker.onEnd = resolve;
      ends.push(promise);
      if (worker.head !== undefined || worker.process.state === "starting") this.#kill(worker, 0);
      else this.#retire(worker);
      worker.tasks.length = 0;
    }
    if (!queue.isForeign) this.#spare.prepareIn(spareDelayIdleMs);
    this.#pumpSoon();
    await Promise.all(ends);
  }

  /**
   * From now on there are so many workers at most. Those too many go when they have done what lies at them; with none left, what
   * waits is handed back.
   */
  resize(slots: number): void {
    this.#slots = slots;
    const open = [...this.#workers].filter((worker) => worker.open);
    open.sort((a, b) => a.tasks.length - b.tasks.length);
    for (const worker of open.slice(0, Math.max(0, open.length - slots))) {
      if (!worker.bound) this.#kill(worker, 0);
      else if (worker.tasks.length === 0) this.#retire(worker);
      else worker.retiring = true;
    }
    if (slots === 0) for (const queue of this.#queues.values()) this.#reports.handedBack(queue.clear(), noSlots);
    this.#pumpSoon();
  }

  /** All attempts that it has and will report on, begun or not. */
  attempts(): AttemptId[] {
    return [...this.#queues.values()].flatMap((queue) => {
      const atWorkers = [...queue.workers].flatMap(({ tasks }) => tasks);
      return [...queue.all(), ...atWorkers].map(({ task }) => attemptOf(task));
    });
  }

  /** Attempts that run now, the first of each worker. */
  running(): AttemptId[] {
    return [...this.#workers].flatMap((worker) =>
      worker.head === undefined || !worker.headStarted ? [] : [worker.head.task],
    );
  }

  /** Reports anew which attempts have begun. */
  tellBegun(): void {
    if (!this.#closed) this.#begins.again();
  }

  /** Process ids of all workers, spares included. */
  pids(): number[] {
    const pids = [...this.#workers].flatMap((worker) => worker.process.pid ?? []);
    return [...pids, ...this.#parked.pids, ...this.#spare.pids];
  }

  /** Kills all workers; resolves when they are gone. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#timeouts.stop();
    this.#begins.stop();
    clearTimeout(this.#pumpTimer);
    this.#startFailures.close();
    await Promise.all([this.#spare.close(), ...[...this.#queues.keys()].map((job) => this.endJob(job))]);
    // Also those of jobs that ended just before: they were asked to go, and may be deaf.
    const workers = [...this.#workers];
    for (const worker of workers) this.#kill(worker, 0);
    await Promise.all([this.#parked.close(), ...workers.map(({ source }) => source.gone)]);
    process.off("exit", this.#onExit);
  }

  #pumpAfter(delayMs: number): void {
    if (this.#pumpTimer !== undefined) return;
    this.#pumpTimer = setTimeout(() => {
      this.#pumpTimer = undefined;
      this.#pumpSoon();
    }, delayMs);
    this.#pumpTimer.unref();
  }

  #pumpSoon(): void {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      if (!this.#closed) this.#pump();
    });
  }

  /** Gives waiting tasks to workers and starts workers, jobs with the fewest workers first. */
  #pump(): void {
    const hungry = [...this.#queues.values()].filter((queue) => queue.waiting > 0);
    if (hungry.length > 1) hungry.sort((a, b) => a.workers.size - b.workers.size);
    for (const queue of hungry) {
      this.#startWorkers(queue, hungry.length);
      this.#prepareSpare(queue);
      for (const [worker, tasks] of queue.deal(this.#options.now())) {
        worker.process.send(tasksMessage(tasks, worker.dataServers, this.#options));
        worker.dataServers = this.#options.peers?.dataServers();
      }
    }
  }

  #startWorkers(queue: JobQueue, hungryJobs: number): void {
    const coming = [...queue.workers].filter((worker) => worker.tasks.length === 0 && worker.open).length;
    for (let wanted = queue.waiting - coming; wanted > 0 && queue.next !== undefined; wanted--) {
      if (occupied(this.#workers) >= this.#slots && !this.#makeRoom(queue, hungryJobs)) return;
      if (!this.#startFailures.mayStart(queue.job)) return;
      this.#start(queue, queue.next);
    }
  }

  /** Looks for a worker that can go. `true`: there is a slot now. */
  #makeRoom(queue: JobQueue, hungryJobs: number): boolean {
    const size = (job: string): number => this.#queues.get(job)?.workers.size ?? 0;
    const share = Math.max(1, Math.floor(this.#slots / hungryJobs));
    const choice = chooseVictim(queue, this.#workers, { now: this.#options.now(), share, size });
    // It will be wanted as soon as there is room, unless the job has all the room there is.
    if (!queue.isForeign && (queue.workers.size === 0 || choice.kind !== "none")) this.#spare.prepare();
    if (choice.kind === "idle") {
      this.#giveUp(choice.worker);
      return true;
    }
    if (choice.kind === "busy") choice.worker.retiring = true;
    if (choice.kind === "later") this.#pumpAfter(choice.delayMs);
    return false;
  }

  #start(queue: JobQueue, first: PoolTask): void {
    const { home, memoryLimitBytes } = first;
    const { startWorker } = home;
    const key = ParkedWorkers.key(home.codeKey, memoryLimitBytes);
    const started =
      startWorker === undefined
        ? (this.#parked.take(key) ?? this.#spare.take(memoryLimitBytes, home.hasFiles ? home.workDir : undefined))
        : new StartedProcess((events) => startWorker(events, memoryLimitBytes), memoryLimitBytes);
    const id = `${this.#options.incarnation}-${++this.#workerCount}`;
    const worker = new PoolWorker(id, queue.job, started, key, this.#options.now());
    this.#workers.add(worker);
    queue.workers.add(worker);
    started.listener = {
      ready: () => this.#bind(worker, home),
      message: (message) => this.#receive(worker, message),
      ended: (end) => this.#ended(worker, end),
    };
    if (started.process.state === "ready") this.#bind(worker, home);
  }

  /**
   * Soon there is a spare again, but not while all slots are busy and the job has more for them: the start of a process that nobody
   * can use yet would take a tenth of a second from those that work.
   */
  #prepareSpare({ waiting, isForeign }: JobQueue): void {
    if (isForeign) return;
    if (waiting === 0 || occupied(this.#workers) < this.#slots) this.#spare.prepareIn(spareDelayMs);
    else this.#spare.putOff();
  }

  #bind(worker: PoolWorker, home: JobHome): void {
    if (!worker.open) return;
    worker.process.send(bindMessage(home, worker.id, this.#options));
    worker.dataServers = this.#options.peers?.dataServers();
    worker.bound = true;
    worker.headSince = this.#options.now();
    this.#pumpSoon();
  }

  #receive(worker: PoolWorker, message: FromWorker): void {
    if (message.kind === "damaged") this.#options.damaged?.(message.url);
    if (worker.killed || message.kind === "ready" || message.kind === "damaged") return;
    const now = this.#options.now();
    if (message.kind === "done" || message.kind === "failed") {
      const { headSince, headStarted, startedAt } = worker;
      if (worker.take(message, now) === null) return;
      if (message.kind === "failed") worker.tainted = true;
      else worker.peakRss = message.output.peakRss;
      const queue = this.#queues.get(worker.job);
      queue?.took(now - headSince);
      if (queue !== undefined) this.#prepareSpare(queue);
      this.#reports.over(worker, message, now - (headStarted ? startedAt : headSince));
      if (worker.retiring && worker.tasks.length === 0) this.#giveUp(worker);
      this.#pumpSoon();
      return;
    }
    if (!worker.holds(message)) return;
    if (message.kind === "started") {
      worker.started(now);
      this.#startFailures.succeeded(worker.job);
      // The pool needs it, to know whom to blame; as a report it would be half of what the master hears of tiny tasks.
      this.#begins.begun();
      return;
    }
    if (message.kind === "progress") worker.moved(message.progress, now);
    else if (message.kind !== "message") return;
    this.#reports.news(message);
  }

  #ended(worker: PoolWorker, end: WorkerEnd): void {
    this.#workers.delete(worker);
    const queue = this.#queues.get(worker.job);
    queue?.workers.delete(worker);
    if (queue !== undefined) {
      if (worker.bound) this.#judgeTasks(queue, worker, end);
      else if (!worker.killed) this.#startFailed(queue, worker, end);
    }
    worker.onEnd?.();
    this.#pumpSoon();
  }

  #judgeTasks(queue: JobQueue, worker: PoolWorker, end: WorkerEnd): void {
    const { head, ended } = worker;
    const guilty = worker.timedOutAfterMs !== null || (worker.headStarted && !worker.killed);
    if (head !== undefined && guilty) {
      worker.take(head.task, this.#options.now());
      this.#reports.broken(worker, head, end);
    }
    queue.unshift(worker.tasks);
    // It never began a task: as if it had not started. (After one that failed, a worker may end by itself.)
    if (head !== undefined && !guilty && ended === 0 && !worker.killed) this.#startFailed(queue, worker, end);
  }

  /** The process died before it began a task: no task is to blame, unless it happens again and again. */
  #startFailed(queue: JobQueue, worker: PoolWorker, end: WorkerEnd): void {
    if (this.#startFailures.failed(queue.job)) this.#reports.unstartable(queue.clear(), worker, end);
  }

  /** Takes an idle worker from a job that goes on: many small jobs with one code need no process each. */
  #giveUp(worker: PoolWorker): void {
    if (this.#park(worker)) this.#queues.get(worker.job)?.workers.delete(worker);
    else this.#retire(worker);
  }

  /** Keeps a worker that its job does not need (any more) for the next one with the same code. */
  #park(worker: PoolWorker): boolean {
    const { parkingKey, source } = worker;
    const isRoomy = worker.peakRss < worker.memoryLimitBytes * parkedRssShare;
    if (this.#closed || parkingKey === null || worker.head !== undefined || !worker.isReusable || !isRoomy)
      return false;
    this.#workers.delete(worker);
    this.#parked.park(parkingKey, source);
    return true;
  }

  #kill(worker: PoolWorker, graceMs?: number): void {
    worker.killed = true;
    worker.process.kill(graceMs);
  }

  /** Asks an idle worker to go. */
  #retire(worker: PoolWorker): void {
    worker.retiring = true;
    worker.leaving = true;
    worker.process.send({ kind: "exit" });
    const timer = setTimeout(() => worker.process.kill(0), exitPatienceMs);
    timer.unref();
  }

  #killAll(): void {
    this.#parked.killAll();
    this.#spare.drop();
    for (const worker of this.#workers) worker.process.kill(0);
  }
}
