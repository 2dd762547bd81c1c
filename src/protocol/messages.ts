/**
 * Messages between master and node (over the bus, as JSON) and between node and worker (over the worker's channel).
 * Ids, never names of processes: an attempt is identified by job, stage, task and attempt number.
 */
import type { Grouping, OutputRef, StageManifest, TaskInput, TaskOutput } from "../core/job/spec.ts";
import type { TaskFailure } from "../errors.ts";
import type { VolumeInfo } from "./ddfs/messages.ts";

/** One attempt of one task. `attempt` counts from 0 and is never reused within the task. */
export interface AttemptId {
  readonly job: string;
  readonly stage: number;
  readonly task: number;
  readonly attempt: number;
}

// ---- master -> node ------------------------------------------------------------------------------------------------

/** "Run this attempt": all that a node needs besides the job pack. */
export interface Assignment extends AttemptId {
  /** A node refuses an epoch lower than the highest it has seen. */
  readonly epoch: number;
  readonly stageName: string;
  readonly group: { readonly label: number | null; readonly host: string | null };
  readonly input: TaskInput;
  readonly taskTimeoutMs: number | null;
  readonly memoryLimitBytes: number;
  /** Absent: a task for a worker of this package. */
  readonly foreign?: ForeignTask;
}

/** What Disco's worker protocol tells a worker that the job brings along, besides the rest. */
export interface ForeignTask {
  /** Path of the executable in the job home. */
  readonly worker: string;
  readonly grouping: Grouping;
  /** Counts the tasks of all stages of the job. */
  readonly taskId: number;
}

// ---- node -> master ------------------------------------------------------------------------------------------------

export type NodeReport =
  /** The attempt ran for `ranMs` milliseconds. */
  | ({ readonly kind: "done"; readonly output: TaskOutput; readonly ranMs?: number } & AttemptId)
  | ({ readonly kind: "failed"; readonly failure: TaskFailure } & AttemptId)
  /** The attempt runs, since so many milliseconds. Not told of one that ends soon. */
  | ({ readonly kind: "began"; readonly agoMs: number } & AttemptId)
  /** An input of this attempt, an output of an earlier stage, is gone or corrupt: the master has that task run again. */
  | ({
      readonly kind: "input-lost";
      readonly lost: { readonly stage: number; readonly task: number; readonly ref: OutputRef };
      readonly failure: TaskFailure;
    } & AttemptId)
  /** The attempt ended without an end of its own: its worker or its node was killed from outside. Not the task's fault. */
  | ({ readonly kind: "lost"; readonly reason: string } & AttemptId)
  | ({ readonly kind: "progress"; readonly progress: TaskProgress } & AttemptId)
  /** A line for the job's event log. */
  | ({ readonly kind: "message"; readonly level: EventLevel; readonly text: string } & AttemptId);

export type EventLevel = "debug" | "info" | "message" | "warning" | "error";

export interface TaskProgress {
  readonly recordsIn: number;
  readonly bytesIn: number;
  readonly recordsOut: number;
}

/** What a node says of itself when it joins. */
export interface NodeHello {
  readonly host: string;
  /** Identifies the node's disk. */
  readonly incarnation: string;
  /** Worker processes at once. */
  readonly slots: number;
  /** So many tasks may be assigned to each slot: one that runs and those that wait behind it. */
  readonly queueDepth: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Attempts that it has and that it will report on. */
  readonly attempts: readonly AttemptId[];
  /** Unique for each start of the node's process. */
  readonly session?: string;
  /** Base URL of its data server, as other machines reach it. Absent: on one machine, where files are read. */
  readonly url?: string;
  /** Version of this package on the node. */
  readonly version?: string;
  /** Id of the cluster whose blobs it has (`cluster-named`). Absent: of none yet. */
  readonly cluster?: string;
}

/** What the master answers to a node that joins: it is in. (A refusal is an error: `name-taken`, `version-mismatch`.) */
export interface NodeWelcome {
  readonly epoch: number;
  /** Data servers of all nodes, by name. */
  readonly dataServers: Readonly<Record<string, string>>;
  /** Id of the cluster. Absent: it has none yet. */
  readonly cluster?: string | null;
}

/** Published by the master that leads under `leader`, twice a second and when something in it changes. */
export interface LeaderNotice {
  readonly epoch: number;
  /** Part of the subjects that this master serves: `master.INSTANCE.join.HOST` … (`bus/subjects.ts`). */
  readonly instance: string;
  /** Base URL of its HTTP server, as other machines reach it. */
  readonly url: string;
  /** Head of the journal. */
  readonly seq: number;
  /** Rises when `NodeWelcome.dataServers` would be another; nodes then ask `master.INSTANCE.nodes.HOST`. */
  readonly nodesVersion: number;
}

/** Published by a node under `heartbeat.HOST`, once a second. */
export interface Heartbeat {
  readonly host: string;
  readonly session: string;
  /** Of the master that it has joined. */
  readonly epoch: number;
  readonly running: number;
  readonly diskFreeBytes: number;
  readonly diskUsedBytes: number;
  /** Of the disk, to be kept free: below it the node is given no tasks. Absent in older versions: 0. */
  readonly diskReserveBytes?: number;
  readonly memoryFreeBytes: number;
  readonly memoryTotalBytes: number;
  /** Where it keeps blobs. Absent in older versions. */
  readonly volumes?: readonly VolumeInfo[];
}

/** Which of a job's files go: what only the running job needed, or everything. */
export type DropScope = "intermediate" | "all";

/** What a node has of a job that it does not work for. */
export interface JobLeftover {
  readonly job: string;
  /** There is more than a pack and results. */
  readonly intermediate: boolean;
}

/** What the master answers to `master.INSTANCE.leftovers.HOST`: what of these is not needed any more. */
export interface LeftoversReply {
  readonly drop: readonly { readonly job: string; readonly scope: DropScope }[];
}

export interface NodeState {
  readonly host: string;
  readonly running: readonly AttemptId[];
  readonly diskFreeBytes: number;
  readonly diskUsedBytes: number;
}

// ---- node -> worker ------------------------------------------------------------------------------------------------

export type ToWorker =
  /** First message: binds the process to a job for the rest of its life. */
  | {
      readonly kind: "job";
      readonly job: string;
      /** Absolute path of the job pack's copy on this node. */
      readonly packFile: string;
      /** Absolute path of the node's data directory; `OutputRef.file` is relative to it. */
      readonly dataDir: string;
      /** Relative to `dataDir`: where this job's files go. */
      readonly jobDir: string;
      /** Absolute path: working directory of tasks, where required files lie. */
      readonly workDir: string;
      readonly host: string;
      readonly master: string;
      /** Unique among all workers of the node: part of the names of files that the process writes. */
      readonly workerId: string;
      /** Address of each other node's data server, by host. Empty on one machine. */
      readonly dataServers: Readonly<Record<string, string>>;
      /** What to show to the servers of `DISCO_MASTER` and `DISCO_PROXY`. Not in the environment, which others inherit. */
      readonly token?: string;
      /** What to show to `dataServers`, and to nobody else: the token for data, never the cluster's. */
      readonly dataToken?: string;
    }
  | { readonly kind: "task"; readonly task: WorkerTask }
  /** Several tasks, in order: a message costs more than a tiny task. */
  | {
      readonly kind: "tasks";
      readonly tasks: readonly WorkerTask[];
      /** Instead of those of the first message, from these tasks on. Left out while they are the same. */
      readonly dataServers?: Readonly<Record<string, string>>;
    }
  /** Drop a task that has not begun; a running one is killed with the process instead. */
  | { readonly kind: "cancel"; readonly id: AttemptId }
  /** Of a concurrent stage: there are more outputs to read in the manifest, or it is complete now (`StageManifest.open`). */
  | ({ readonly kind: "inputs"; readonly manifestFile: string } & AttemptId)
  /** The job has ended: close its files and stand by for a job with the same code. */
  | { readonly kind: "release" }
  | { readonly kind: "exit" };

export interface WorkerTask extends AttemptId {
  readonly stageName: string;
  readonly group: { readonly label: number | null; readonly host: string | null };
  readonly input: TaskInput;
  /** For `input.kind === "stage"`: absolute path of a JSON file with the `StageManifest`. */
  readonly manifestFile?: string;
  /**
   * Committed out-of-band values of earlier stages, for `task.get`: key to file, relative to `dataDir`. Instead the node may write
   * such a list, as JSON, to `.disco/oob.json` in the job's home; other jobs' values are found there as well.
   */
  readonly oob?: Readonly<Record<string, string>>;
  readonly foreign?: ForeignTask;
}

// ---- worker -> node ------------------------------------------------------------------------------------------------

export type FromWorker =
  /** The process is up and has loaded Disco's own code. */
  | { readonly kind: "ready"; readonly pid: number }
  | ({ readonly kind: "started" } & AttemptId)
  | ({ readonly kind: "progress"; readonly progress: TaskProgress } & AttemptId)
  /** A blob of this node is not what was stored: its address. */
  | { readonly kind: "damaged"; readonly url: string }
  | ({ readonly kind: "message"; readonly level: EventLevel; readonly text: string } & AttemptId)
  /** `ranMs`: milliseconds from "started" to the end of its output, by the clock of the process. */
  | ({ readonly kind: "done"; readonly output: TaskOutput; readonly ranMs?: number } & AttemptId)
  | ({
      readonly kind: "failed";
      readonly failure: TaskFailure;
      readonly lost?: { readonly stage: number; readonly task: number; readonly ref: OutputRef };
    } & AttemptId);

/** What a manifest request answers. */
export type ManifestReply = StageManifest;
