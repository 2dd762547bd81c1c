/**
 * What the pool needs of a worker: something that is told of a job and of tasks, and says how they went. A process of ours
 * (`worker-process.ts`), or what runs a job's own programs (`foreign/foreign-worker.ts`).
 */
import type { FromWorker, ToWorker } from "../protocol/messages.ts";
import type { WorkerEnd } from "./verdict.ts";

export interface WorkerEvents {
  ready(): void;
  message(message: FromWorker): void;
  /** Once, and the last. */
  ended(end: WorkerEnd): void;
}

export interface WorkerHandle {
  readonly state: "starting" | "ready" | "ended";
  /** Of the process, if there is one now. */
  readonly pid: number | null;
  /** Bytes that it wrote to stdout and stderr, and that were not kept. */
  readonly droppedOutputBytes: number;
  /** How long its running task has given no sign of life, messages or not; 0 while it waits for others. Absent: by messages alone. */
  readonly quietMs?: number;
  /** Lost without a sound if it has ended. */
  send(message: ToWorker): void;
  /** SIGTERM to the whole group, and SIGKILL after the grace; no grace: SIGKILL at once. */
  kill(graceMs?: number): void;
}
