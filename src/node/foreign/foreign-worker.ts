/**
 * Runs the tasks of one job in the job's own programs, one after the other, a fresh process each. To the pool it is a worker like a
 * process of ours: it is told of tasks, and says how they went. It does not end when a program does, only when it is told to.
 *
 *   idle ──task──▶ preparing ──▶ running ──its program has ended──▶ settling (outputs) ──▶ idle
 *                                                                               kill, exit ──▶ ended
 */
import { totalmem } from "node:os";
import { MessageGate } from "../../protocol/message-gate.ts";
import type { AttemptId, FromWorker, ToWorker, WorkerTask } from "../../protocol/messages.ts";
import { sameAttempt } from "../pool-worker.ts";
import { attemptOf } from "../task-reports.ts";
import type { WorkerEnd } from "../verdict.ts";
import type { WorkerEvents, WorkerHandle } from "../worker-handle.ts";
import { killGraceMs } from "../worker-process.ts";
import { type AttemptEnd, ForeignAttempt } from "./attempt.ts";
import { endFailure, nodeFailure } from "./attempt-failure.ts";
import type { AttemptLimits } from "./limits.ts";
import { collectOutputs, outputFailure } from "./outputs.ts";
import { type ClaimedOutput, ForeignSession } from "./session.ts";
import type { StageOutput } from "./session-inputs.ts";
import type { TaskSurroundings } from "./task-surroundings.ts";

export interface ForeignWorkerOptions {
  readonly surroundings: TaskSurroundings;
  readonly memoryLimitBytes: number;
  readonly limits?: Partial<AttemptLimits> | undefined;
}

const killedEnd: WorkerEnd = { code: null, signal: "SIGKILL", stderr: "", error: null };
/** Of a text of MSG. */
const messageCharsMax = 8 * 1_024;
/** Of the machine's memory, where a job says nothing or more. Disco: `DISCO_WORKER_MAX_MEM`. */
const memoryShareMax = 0.8;

export class ForeignWorker implements WorkerHandle {
  readonly droppedOutputBytes = 0;
  readonly #around: TaskSurroundings;
  readonly #memoryLimitBytes: number;
  readonly #limits: Partial<AttemptLimits> | undefined;
  readonly #events: WorkerEvents;
  readonly #gate = new MessageGate();
  #state: "ready" | "ended" = "ready";
  #waiting: WorkerTask[] = [];
  #running: WorkerTask | null = null;
  #attempt: ForeignAttempt | null = null;
  /** Inputs came before the attempt had begun. */
  #arrived: string | null = null;
  /** Of manifests that came while it runs. */
  #reading: Promise<void> = Promise.resolve();
  /** What is being prepared, or settled. */
  #work: Promise<void> = Promise.resolve();
  readonly #abort = new AbortController();
  #startedAt = 0;
  #killed = false;

  constructor({ surroundings, memoryLimitBytes, limits }: ForeignWorkerOptions, events: WorkerEvents) {
    this.#around = surroundings;
    this.#memoryLimitBytes = Math.min(memoryLimitBytes, Math.floor(ownMemoryBytes() * memoryShareMax));
    this.#limits = limits;
    this.#events = events;
  }

  get state(): "ready" | "ended" {
    return this.#state;
  }

  get pid(): number | null {
    return this.#attempt?.pid ?? null;
  }

  get quietMs(): number {
    return this.#attempt?.quietMs ?? 0;
  }

  send(message: ToWorker): void {
    if (this.#state === "ended" || this.#killed) return;
    switch (message.kind) {
      case "task":
        this.#take([message.task]);
        return;
      case "tasks":
        this.#take(message.tasks);
        return;
      case "inputs":
        this.#inputs(message, message.manifestFile);
        return;
      case "cancel":
        this.#waiting = this.#waiting.filter((task) => !sameAttempt(task, message.id));
        return;
      case "exit":
        if (this.#running === null) this.kill(0);
        return;
      case "job":
      case "release":
        // It is of one job from the beginning, and never kept for another.
        return;
    }
  }

  kill(graceMs: number = killGraceMs): void {
    if (this.#state === "ended") return;
    this.#killed = true;
    this.#waiting = [];
    this.#abort.abort();
    if (this.#attempt !== null) this.#attempt.kill(graceMs);
    // When nothing is being written any more: the job's home may be deleted then.
    else void this.#work.finally(() => setImmediate(() => this.#end(killedEnd)));
  }

  #take(tasks: readonly WorkerTask[]): void {
    this.#waiting.push(...tasks);
    this.#next();
  }

  #next(): void {
    if (this.#running !== null || this.#state === "ended") return;
    const task = this.#waiting.shift();
    if (task === undefined) return;
    this.#running = task;
    this.#work = this.#run(task).catch((error: unknown) => {
      this.#over({ kind: "failed", ...attemptOf(task), failure: nodeFailure(error) });
    });
  }

  async #run(task: WorkerTask): Promise<void> {
    const { command, body, inputs, complete } = await this.#around.prepare(task);
    if (this.#killed) return;
    const session = new ForeignSession({ task: body, inputs, complete });
    this.#startedAt = performance.now();
    this.#attempt = new ForeignAttempt({
      command,
      session,
      memoryLimitBytes: this.#memoryLimitBytes,
      limits: this.#limits,
      said: (text) => this.#said(task, text),
      isLost: (output) => this.#around.isLost(output),
      ended: (end) => this.#attemptEnded(task, end),
    });
    this.#events.message({ kind: "started", ...attemptOf(task) });
    if (this.#arrived !== null) this.#inputs(task, this.#arrived);
  }

  #inputs(id: AttemptId, manifestFile: string): void {
    const task = this.#running;
    if (task === null || !sameAttempt(task, id)) return;
    const attempt = this.#attempt;
    if (attempt === null) {
      this.#arrived = manifestFile;
      return;
    }
    // One after the other, so that what is newer stays.
    this.#reading = this.#reading.then(async () => {
      if (this.#attempt !== attempt) return;
      try {
        const { inputs, complete } = await this.#around.stageInputs(task, manifestFile);
        if (this.#attempt === attempt) attempt.inputsArrived(inputs, complete);
      } catch (error) {
        if (this.#attempt === attempt) attempt.fail(nodeFailure(error));
      }
    });
  }

  #said(task: WorkerTask, text: string): void {
    const { pass, dropped } = this.#gate.admit(gateKey(task), performance.now());
    if (dropped > 0) this.#tellDropped(task, dropped);
    if (!pass) return;
    const length = text.length;
    const kept = length > messageCharsMax ? `${text.slice(0, messageCharsMax)}… (${length} characters)` : text;
    this.#events.message({ kind: "message", ...attemptOf(task), level: "message", text: kept });
  }

  #tellDropped(task: WorkerTask, count: number): void {
    const text = `${count} messages came too fast and were dropped`;
    this.#events.message({ kind: "message", ...attemptOf(task), level: "warning", text });
  }

  #attemptEnded(task: WorkerTask, end: AttemptEnd): void {
    this.#attempt = null;
    if (end.kind === "killed" || this.#killed) {
      const program = end.kind === "killed" ? end.program : killedEnd;
      this.#end({ code: program.code, signal: program.signal, stderr: "", error: null });
      return;
    }
    const id = attemptOf(task);
    if (end.kind === "failed") this.#over({ kind: "failed", ...id, failure: end.failure });
    else if (end.end.kind === "done") this.#work = this.#settle(task, end.end.outputs, end.peakBytes);
    else if (end.end.kind === "input-lost") this.#over(lostInput(id, end.end.output));
    else this.#over({ kind: "failed", ...id, failure: endFailure(end.end) });
  }

  async #settle(task: WorkerTask, claims: readonly ClaimedOutput[], peakRss: number): Promise<void> {
    const id = attemptOf(task);
    try {
      const output = await collectOutputs(task, claims, this.#around.place(task), this.#abort.signal);
      const ranMs = performance.now() - this.#startedAt;
      this.#over({ kind: "done", ...id, output: { ...output, peakRss }, ranMs });
    } catch (error) {
      this.#over({ kind: "failed", ...id, failure: outputFailure(error) });
    }
  }

  /** The task has come to an end. */
  #over(report: FromWorker & { kind: "done" | "failed" }): void {
    const task = this.#running;
    if (task === null || this.#state === "ended" || this.#killed) return;
    const dropped = this.#gate.end(gateKey(task));
    if (dropped > 0) this.#tellDropped(task, dropped);
    this.#running = null;
    this.#arrived = null;
    this.#events.message(report);
    this.#next();
  }

  #end(end: WorkerEnd): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#events.ended(end);
  }
}

function lostInput(id: AttemptId, lost: StageOutput): FromWorker & { kind: "failed" } {
  const message = `output of task ${lost.task} in ${lost.ref.file} cannot be had from node ${lost.ref.host}`;
  const failure = { code: "input-lost", name: "MissingOutput", message, retry: "here" } as const;
  return { kind: "failed", ...id, failure, lost };
}

/** Of the machine, or of the container. */
function ownMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function gateKey({ stage, task, attempt }: AttemptId): string {
  return `${stage}/${task}/${attempt}`;
}
