/**
 * The life of a worker process: bound to one job by the first message, then tasks one after the other until it is told to
 * exit.
 *
 *   idle ──"job"──▶ bound ──"task"──▶ running ──done, failed──▶ bound …          any ──"exit", node gone──▶ (exit)
 *
 * W1. One task runs at a time; others wait in their order and may be cancelled until they begin.
 * W2. An attempt ends by exactly one "done" or "failed"; when the process dies first, the node says why.
 * W3. Between two tasks the event loop turns at least once, so that messages are read and stray rejections surface while the
 *     task that caused them still runs.
 */
import type { AttemptId, EventLevel, FromWorker, ToWorker, WorkerTask } from "../protocol/messages.ts";
import { BoundJob, type JobBinding } from "./bound-job.ts";
import { ConsoleCapture } from "./console-capture.ts";
import { taskFailure } from "./failure.ts";
import { runTask } from "./run-task.ts";
import { LostOutput } from "./storage/lost-output.ts";
import { Watch } from "./watch.ts";

export class WorkerLoop {
  readonly #watch = new Watch();
  readonly #console = new ConsoleCapture();
  readonly #queue: WorkerTask[] = [];
  readonly #exit = process.exit.bind(process);
  #job: BoundJob | null = null;
  #bindError: unknown = new Error("a task came before its job");
  #running: WorkerTask | null = null;
  #busy = false;
  readonly #send: (message: FromWorker) => void;

  constructor(parentPid: number, send: (message: FromWorker) => void) {
    this.#send = send;
    this.#watch.start(parentPid);
    process.on("uncaughtException", (error) => this.#crash(error));
    process.on("unhandledRejection", (reason) => this.#crash(reason));
  }

  handle(message: ToWorker): void {
    switch (message.kind) {
      case "job":
        this.#bind(message);
        break;
      case "task":
        this.#queue.push(message.task);
        if (!this.#busy) void this.#runQueue();
        break;
      case "tasks":
        if (message.dataServers !== undefined) this.#job?.know(message.dataServers);
        this.#queue.push(...message.tasks);
        if (!this.#busy) void this.#runQueue();
        break;
      case "cancel": {
        const at = this.#queue.findIndex((task) => isSame(task, message.id));
        if (at !== -1) this.#queue.splice(at, 1);
        break;
      }
      case "release":
        this.#job?.leave();
        this.#job = null;
        break;
      case "exit":
        this.#exit(0);
    }
  }

  /** A job pack that cannot be read fails each of its tasks, with the reason. */
  #bind(binding: JobBinding): void {
    try {
      this.#job = BoundJob.open(binding);
      this.#job.tellDamage = (url) => this.#send({ kind: "damaged", url });
      this.#watch.limitMemory(this.#job.data.memoryLimitBytes);
      this.#job.enter();
    } catch (error) {
      this.#job = null;
      this.#bindError = error;
    }
  }

  async #runQueue(): Promise<void> {
    this.#busy = true;
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) {
      await this.#run(task);
      await turn();
    }
    this.#busy = false;
  }

  async #run(task: WorkerTask): Promise<void> {
    const id = attemptId(task);
    this.#running = task;
    const startedAt = performance.now();
    this.#send({ kind: "started", ...id });
    const message = (level: EventLevel, text: string): void => {
      this.#send({ kind: "message", level, text, ...id });
    };
    this.#console.begin(message);
    process.exit = (code) => this.#exitInTask(code);
    let report: FromWorker;
    try {
      const job = this.#job;
      if (job === null) throw this.#bindError;
      const output = await runTask(job, task, {
        beat: this.#watch.beat,
        progress: (progress) => this.#send({ kind: "progress", progress, ...id }),
        status: (text) => message("info", text),
      });
      await turn();
      report = { kind: "done", output, ranMs: Math.round(performance.now() - startedAt), ...id };
    } catch (error) {
      report = this.#failed(error, task);
    } finally {
      this.#console.end();
      process.exit = this.#exit;
    }
    // A crash has reported the attempt already.
    if (this.#running !== task) return;
    this.#running = null;
    this.#send(report);
  }

  #failed(error: unknown, task: WorkerTask): FromWorker {
    const failure = taskFailure(error, (thrown) => this.#job?.translate(thrown) ?? {}, this.#job?.currentUrl ?? null);
    const { input } = task;
    const id = attemptId(task);
    if (!(error instanceof LostOutput) || input?.kind !== "stage") return { kind: "failed", failure, ...id };
    return { kind: "failed", failure, lost: { stage: input.stage, ...error.origin }, ...id };
  }

  /** `process.exit` in a job's function: says where before it obeys. */
  #exitInTask(code: number | string | null | undefined): never {
    const error = new Error(`process.exit(${code ?? ""}) was called in the middle of the task`);
    error.name = "WorkerExit";
    this.#reportCrash(error, "worker-exit");
    return this.#exit(code ?? 0);
  }

  /** After an uncaught exception nothing in the process can be trusted: report and exit. */
  #crash(error: unknown): void {
    if (!this.#reportCrash(error, null))
      process.stderr.write(`disco: uncaught in a worker: ${String((error as Error)?.stack ?? error)}\n`);
    this.#exit(1);
  }

  #reportCrash(error: unknown, code: string | null): boolean {
    const task = this.#running;
    if (task === null) return false;
    this.#running = null;
    const report = this.#failed(error, task);
    if (report.kind === "failed" && code !== null) {
      this.#send({ ...report, failure: { ...report.failure, code } });
    } else {
      this.#send(report);
    }
    return true;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function attemptId(task: WorkerTask): AttemptId {
  return { job: task.job, stage: task.stage, task: task.task, attempt: task.attempt };
}

function isSame(a: AttemptId, b: AttemptId): boolean {
  return a.job === b.job && a.stage === b.stage && a.task === b.task && a.attempt === b.attempt;
}
