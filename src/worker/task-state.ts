/** The task that runs in this process, for the functions of `task.ts`. */
import { DiscoError } from "../errors.ts";

export interface TaskState {
  readonly jobName: string;
  readonly host: string;
  readonly master: string;
  /** Name of the stage. */
  readonly stage: string;
  readonly id: number;
  readonly attempt: number;
  readonly partition: number;
  readonly inputs: readonly string[];
  random(): number;
  put(key: string, value: string | Uint8Array): void;
  get(key: string, job?: string): Uint8Array;
}

/** On `globalThis`, so that every copy of this package in a process sees the same task. */
const slot = Symbol.for("disco-mapreduce.task");

interface Holder {
  [slot]?: TaskState | null;
}

export function setTask(state: TaskState | null): void {
  (globalThis as Holder)[slot] = state;
}

export function currentTask(): TaskState | null {
  return (globalThis as Holder)[slot] ?? null;
}

/** Throws `DiscoError` `no-task` outside of a task. */
export function requireTask(what: string): TaskState {
  const state = currentTask();
  if (state !== null) return state;
  throw new DiscoError(`task.${what} is only there while a task runs`, {
    code: "no-task",
    hint: "Use it inside map, reduce and the other functions of a job, not at the top level of the script.",
  });
}
