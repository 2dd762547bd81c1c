/** What a node says about the tasks of its workers: what workers report, and what is concluded when one of them ends. */
import type { AttemptId, FromWorker, NodeReport } from "../protocol/messages.ts";
import type { PoolTask, PoolWorker } from "./pool-worker.ts";
import { judge, type WorkerEnd } from "./verdict.ts";

export class TaskReports {
  readonly #report: (report: NodeReport) => void;

  constructor(report: (report: NodeReport) => void) {
    this.#report = report;
  }

  /** The first task of the worker began so many milliseconds ago. */
  began({ head }: PoolWorker, agoMs: number): void {
    if (head !== undefined) this.#report({ kind: "began", ...attemptOf(head.task), agoMs: Math.round(agoMs) });
  }

  /** The worker brought a task to an end. `seenMs`: how long it ran, as the node saw it; the worker knows better. */
  over(worker: PoolWorker, message: FromWorker & { kind: "done" | "failed" }, seenMs: number): void {
    const id = attemptOf(message);
    this.#dropped(worker, id);
    if (message.kind === "done") {
      const ranMs = Math.round(message.ranMs ?? seenMs);
      this.#report({ kind: "done", ...id, output: message.output, ranMs });
    } else if (message.lost === undefined) this.#report({ kind: "failed", ...id, failure: message.failure });
    else this.#report({ kind: "input-lost", ...id, lost: message.lost, failure: message.failure });
  }

  /** News of a task that goes on. */
  news(message: FromWorker & { kind: "progress" | "message" }): void {
    const id = attemptOf(message);
    if (message.kind === "progress") this.#report({ kind: "progress", ...id, progress: message.progress });
    else this.#report({ kind: "message", ...id, level: message.level, text: String(message.text) });
  }

  /** The worker ended in the middle of the task. */
  broken(worker: PoolWorker, { task }: PoolTask, end: WorkerEnd): void {
    const id = attemptOf(task);
    this.#dropped(worker, id);
    const verdict = judge(end, worker);
    if (verdict.kind === "lost") this.#report({ kind: "lost", ...id, reason: verdict.reason });
    else this.#report({ kind: "failed", ...id, failure: verdict.failure });
  }

  /** No worker can be started for these tasks. */
  unstartable(tasks: readonly PoolTask[], worker: PoolWorker, end: WorkerEnd): void {
    const verdict = judge(end, worker);
    const why = verdict.kind === "lost" ? verdict.reason : verdict.failure.message;
    const memory = verdict.kind === "failed" && verdict.failure.code === "out-of-memory";
    const failure = {
      code: memory ? "out-of-memory" : "worker-start",
      name: "WorkerStartError",
      message: `no worker process could be started: ${why}`,
      retry: "elsewhere",
      ...(memory ? { hint: "Raise memoryLimit: it leaves too little for the process itself." } : {}),
    } as const;
    for (const { task } of tasks) this.#report({ kind: "failed", ...attemptOf(task), failure });
  }

  /** They never began, and will not here. */
  handedBack(tasks: readonly PoolTask[], reason: string): void {
    for (const { task } of tasks) this.#report({ kind: "lost", ...attemptOf(task), reason });
  }

  #dropped(worker: PoolWorker, id: AttemptId): void {
    const bytes = worker.newlyDroppedBytes();
    if (bytes === 0) return;
    this.#report({
      kind: "message",
      ...id,
      level: "warning",
      text: `${bytes} bytes of the worker's output were not kept`,
    });
  }
}

/** Only what identifies the attempt: messages of workers may carry anything. */
export function attemptOf({ job, stage, task, attempt }: AttemptId): AttemptId {
  return { job, stage, task, attempt };
}
