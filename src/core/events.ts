/**
 * What can happen to a master. These events, in the order of the journal, are all that a master knows: its state is their
 * fold (`master.ts`). Each is plain JSON, in the past tense, and carries its time, because the core has no clock.
 *
 * Reports of nodes become events only where something is decided by them: `began` and `progress` are not here.
 */
import type { MasterSettings } from "../client/master-api.ts";
import type { TaskFailure } from "../errors.ts";
import type { AttemptId } from "../protocol/messages.ts";
import type { DdfsEvent } from "./ddfs/events.ts";
import type { JobSpec, OutputRef, TaskOutput } from "./job/spec.ts";

interface At {
  /** Milliseconds since 1970, by the clock of the master that recorded it. */
  readonly at: number;
}

interface OfJob extends At {
  readonly job: string;
}

export type MasterEvent =
  | MasterStarted
  | Interrupted
  | NodeEvent
  | JobSubmitted
  | PackHeld
  | JobEvent
  | TasksAssigned
  | TimerFired
  | SettingsSaved
  | GcBlacklisted
  | GcWhitelisted
  | DdfsEvent;

export type NodeEvent =
  | NodeJoined
  | NodeUpdated
  | NodeLost
  | NodeForgotten
  | NodeBlacklisted
  | NodeWhitelisted
  | NodeDraining
  | NodeUndrained
  | ConfigSaved;
export type JobEvent = JobKilled | JobCleaned | JobPurged | ResultsSaved | ResultsNotSaved | TaskEvent;
export type TaskEvent = TaskDone | TaskFailed | TaskLost | InputLost;

/** A master took over. Its epoch is higher than any before; commands of lower epochs are refused by nodes. */
export interface MasterStarted extends At {
  readonly kind: "master-started";
  readonly epoch: number;
}

/** The engine died with all of its workers (embedded engine): no node is left and unfinished jobs are dead. */
export interface Interrupted extends At {
  readonly kind: "interrupted";
}

/** A node offers its slots, for the first time, after it was lost, or to compare notes with a master that has just started. */
export interface NodeJoined extends At {
  readonly kind: "node-joined";
  readonly host: string;
  /** Identifies the node's disk: a node that returns with another one has lost all outputs it held. */
  readonly incarnation: string;
  /** Worker processes it runs at once. */
  readonly slots: number;
  /** Tasks it accepts a slot, the running one included, so that a worker need not wait for the master. */
  readonly queueDepth: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Attempts it has, queued, running or not yet reported. What it does not name is lost. Absent: it has none. */
  readonly attempts?: readonly AttemptId[];
  /** Base URL of its data server, as other machines reach it. Absent: on one machine. */
  readonly url?: string;
  /** Unique for each start of its process. Absent: it did not say. */
  readonly session?: string;
}

/** A node's capacity or labels changed. */
export interface NodeUpdated extends At {
  readonly kind: "node-updated";
  readonly host: string;
  readonly slots?: number;
  readonly queueDepth?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A node is believed dead: its attempts are over, whatever it may still say, and its outputs are out of reach. */
export interface NodeLost extends At {
  readonly kind: "node-lost";
  readonly host: string;
  readonly reason: string;
}

/** A lost node will not come again, and no active job reads from it: it is no node any more. What was set for its name stays. */
export interface NodeForgotten extends At {
  readonly kind: "node-forgotten";
  readonly host: string;
}

/** The node is to be removed: nothing new starts there, what runs may finish. It stays so, also when it joins again, until it is forgotten. */
export interface NodeDraining extends At {
  readonly kind: "node-draining";
  readonly host: string;
}

/** The node is to stay after all. */
export interface NodeUndrained extends At {
  readonly kind: "node-undrained";
  readonly host: string;
}

/** Nothing new starts there; what runs may finish. The node need not be known (yet). */
export interface NodeBlacklisted extends At {
  readonly kind: "node-blacklisted";
  readonly host: string;
}

/** The node is trusted again: neither blacklisted nor in quarantine (`scheduler/quarantine.ts`). */
export interface NodeWhitelisted extends At {
  readonly kind: "node-whitelisted";
  readonly host: string;
}

/**
 * The operator's table of nodes and their worker processes, in place of the one before. A number in it overrides what the node
 * itself offers, also before the node joins and after it joins again; 0 is a number. A node that is not in it offers what it does.
 */
export interface ConfigSaved extends At {
  readonly kind: "config-saved";
  readonly table: readonly (readonly [host: string, slots: number])[];
}

/** An operator changed settings of the master. What is not named stays. */
export interface SettingsSaved extends At {
  readonly kind: "settings-saved";
  readonly changes: Partial<MasterSettings>;
}

/** Garbage collection is to empty the node for its removal. The node need not be known (yet). */
export interface GcBlacklisted extends At {
  readonly kind: "gc-blacklisted";
  readonly host: string;
}

export interface GcWhitelisted extends At {
  readonly kind: "gc-whitelisted";
  readonly host: string;
}

/** A job was accepted under a unique name (`MasterMachine.nextName`). */
export interface JobSubmitted extends OfJob {
  readonly kind: "job-submitted";
  readonly spec: JobSpec;
  /** The client's idempotency key: the same key again means the same job. */
  readonly key?: string;
  /** Nodes that keep the job pack, so that it outlives the master. Absent: none. */
  readonly holders?: readonly string[];
  /** SHA-256 of the job pack, hex: who fetches it compares. Absent: on one machine, where nobody does. */
  readonly packSha256?: string;
}

/** More nodes keep the pack of an active job, as those that did are away. */
export interface PackHeld extends OfJob {
  readonly kind: "pack-held";
  readonly hosts: readonly string[];
}

/** A user ended a job. Nothing that its tasks report later counts. */
export interface JobKilled extends OfJob {
  readonly kind: "job-killed";
  readonly reason?: string;
}

/** A try to keep the job's results in DDFS has succeeded; the tag was recorded before this, in the same turn. */
export interface ResultsSaved extends OfJob {
  readonly kind: "results-saved";
  /** Of the `save-results` command. */
  readonly attempt: number;
  /** Instead of the addresses of its outputs. `null`: only out-of-band values were kept. */
  readonly results: readonly string[] | null;
}

/** A try to keep the job's results in DDFS has failed. */
export interface ResultsNotSaved extends OfJob {
  readonly kind: "results-not-saved";
  readonly attempt: number;
  readonly reason: string;
  /** Outputs that could not be read where they should lie: their tasks are to run again. */
  readonly lost: readonly { readonly stage: number; readonly task: number; readonly ref: OutputRef }[];
}

/** A user wants the job's records forgotten (an active one is killed first). Its files stay. */
export interface JobCleaned extends OfJob {
  readonly kind: "job-cleaned";
}

/** A user wants records and files of the job gone (an active one is killed first). */
export interface JobPurged extends OfJob {
  readonly kind: "job-purged";
}

/** The master decided who runs what. Recorded before any node hears of it, so that no attempt number is used twice. */
export interface TasksAssigned extends At {
  readonly kind: "tasks-assigned";
  readonly tasks: readonly AssignedTask[];
  /** Attempts that give up their slots before that (`scheduler/preemption.ts`). */
  readonly preempted?: readonly AttemptId[];
  /** Stages that begin to keep tasks for busy nodes that hold their input (`scheduler/late-binding.ts`). */
  readonly holds?: readonly HeldStage[];
}

export interface AssignedTask extends AttemptId {
  readonly host: string;
  /** Of a second attempt beside a slow one: why it was started. */
  readonly slow?: Slowness;
}

export interface Slowness {
  /** Of the first attempt. */
  readonly ageMs: number;
  /** Of the done tasks of its stage. */
  readonly medianMs: number;
  readonly doneTasks: number;
}

export interface HeldStage {
  readonly job: string;
  readonly stage: number;
}

/** An attempt wrote all of its output. It is the task's output if the attempt is still live: the first one wins. */
export interface TaskDone extends OfJob, AttemptId {
  readonly kind: "task-done";
  readonly output: TaskOutput;
  /** Milliseconds that the attempt ran, by the clock of its worker. Absent in older journals: the time since its assignment. */
  readonly ranMs?: number;
}

/** An attempt failed; the failure's code decides whether the task may be tried again (`job/retry.ts`). */
export interface TaskFailed extends OfJob, AttemptId {
  readonly kind: "task-failed";
  readonly failure: TaskFailure;
}

/** An attempt is over through no fault of its own: its worker vanished, or handed it back before it began. */
export interface TaskLost extends OfJob, AttemptId {
  readonly kind: "task-lost";
  readonly reason: string;
}

/** An attempt could not read an output of an earlier stage: that one is to be made again, and then this task. */
export interface InputLost extends OfJob, AttemptId {
  readonly kind: "input-lost";
  readonly lost: { readonly stage: number; readonly task: number; readonly ref: OutputRef };
  readonly failure: TaskFailure;
}

/** A timer that a `set-timer` command asked for is due. Unknown and repeated keys do nothing. */
export interface TimerFired extends At {
  readonly kind: "timer-fired";
  readonly key: string;
}
