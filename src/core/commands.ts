/**
 * What the master machine wants done. The shell carries commands out after the events that caused them are in the journal,
 * in order. A crash in between loses commands: each sentence says how that heals.
 */
import type { TaskFailure } from "../errors.ts";
import type { Assignment, AttemptId, EventLevel } from "../protocol/messages.ts";
import type { JobStatus } from "./job/spec.ts";

export type Command =
  | Assign
  | Cancel
  | StopJob
  | DropFiles
  | SetTimer
  | Log
  | SaveResults
  | JobEnded
  | ForgetJob
  | ResizeNode;

/** Send attempts to a node. Lost: the node does not name them when it joins again, and they are lost and assigned anew. */
export interface Assign {
  readonly kind: "assign";
  readonly host: string;
  readonly assignments: readonly Assignment[];
}

/** Stop one attempt: another one won, or its input changed. Lost: its report is refused, as it is not live any more. */
export interface Cancel {
  readonly kind: "cancel";
  readonly host: string;
  readonly id: AttemptId;
  readonly reason: string;
}

/** Stop everything of a job that has ended, on these nodes. Lost: as `cancel`. */
export interface StopJob {
  readonly kind: "stop-job";
  readonly job: string;
  readonly hosts: readonly string[];
}

/** Delete files of a job on these nodes. Lost: they stay until the job is purged or collected. */
export interface DropFiles {
  readonly kind: "drop-files";
  readonly job: string;
  readonly hosts: readonly string[];
  /** `intermediate`: what only the job itself reads, results stay. `all`: the job's whole directory. */
  readonly scope: "intermediate" | "all";
}

/** Make a `timer-fired` event with this key at that time, or soon after. Lost: `MasterMachine.timers()` lists what is pending. */
export interface SetTimer {
  readonly kind: "set-timer";
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * A line for the job's event log. Lost: a replay of its event gives it again, with the same number, so that a new master adds
 * exactly the lines that are not in the log yet.
 */
export interface Log {
  readonly kind: "log";
  readonly job: string;
  /** Counts the job's lines from here, from 0; the first without a gap. Lines that workers say are not among them. */
  readonly line: number;
  readonly at: number;
  readonly level: EventLevel;
  /** The node it comes from; `null`: the master. */
  readonly host: string | null;
  /** `map:3`, when it is about a task. */
  readonly task: string | null;
  readonly message: string;
}

/**
 * Keep the job's results, or its out-of-band values, in DDFS, and say how that went. Lost: `unsaved` (`job/saving.ts`) lists the tries that
 * are under way.
 */
export interface SaveResults {
  readonly kind: "save-results";
  readonly job: string;
  readonly attempt: number;
}

/** Tell whoever waits. Lost: they ask again and find the job ended. */
export interface JobEnded {
  readonly kind: "job-ended";
  readonly job: string;
  readonly status: Exclude<JobStatus, "active">;
  readonly results: readonly string[];
  readonly reason: string | null;
  readonly failure: TaskFailure | null;
}

/** Delete the master's own records of the job: event log, job pack. Lost: they stay until the job is purged once more. */
export interface ForgetJob {
  readonly kind: "forget-job";
  readonly job: string;
}

/**
 * Tell a node how many worker processes it may run at once, from now until it is told otherwise. It hands back (`task-lost`) what it
 * has not begun and has no slot for; what runs may finish. Lost: it is told again whenever it joins.
 */
export interface ResizeNode {
  readonly kind: "resize-node";
  readonly host: string;
  /** 0: nothing starts there. */
  readonly slots: number;
}
