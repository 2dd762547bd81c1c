/**
 * What a client needs of a master. The embedded engine implements it directly (`master/embedded.ts`); a remote master is
 * the same interface over HTTP. Names of methods follow Disco's.
 */
import type { JobSpec, JobStatus } from "../core/job/spec.ts";
import type { TaskFailure } from "../errors.ts";
import type { EventLevel, TaskProgress } from "../protocol/messages.ts";
import type { DdfsApi } from "./ddfs/ddfs-api.ts";

export interface JobListEntry {
  readonly name: string;
  readonly status: JobStatus;
  /** Milliseconds since 1970. */
  readonly submittedAt: number;
}

/** An entry of the JSON API's list of jobs, which has the stages when it was asked for them. */
export interface ListedJob extends JobListEntry {
  readonly stages?: readonly StageInfo[];
  /** Milliseconds since 1970, with the stages; `null`: it has not ended. */
  readonly endedAt?: number | null;
}

export interface StageInfo {
  readonly stage: string;
  /** Not yet known how many (the stage before still runs) is `tasks: 0`. */
  readonly tasks: number;
  readonly waiting: number;
  /** Given to a node, and not begun there: its workers are busy. */
  readonly queued: number;
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly bytesIn: number;
  /** Bytes of all inputs of the stage when known, else 0. */
  readonly bytesTotal: number;
}

export interface JobInfo {
  readonly name: string;
  readonly status: JobStatus;
  readonly owner: string;
  /** Of a job that brings its worker along: the path of the program among its files. Absent: a worker of this package. */
  readonly worker?: string;
  readonly submittedAt: number;
  readonly endedAt: number | null;
  readonly stages: readonly StageInfo[];
  readonly inputs: readonly string[];
  readonly results: readonly string[];
  /** Node names, one for each running task. */
  readonly hosts: readonly string[];
  /** Why tasks that could run do not, e.g. `all nodes are blacklisted`. */
  readonly waits: readonly string[];
  /** Why the job is dead. */
  readonly reason: string | null;
  readonly failure: TaskFailure | null;
  /** Peak resident memory of any of its worker processes, in bytes. */
  readonly peakRss: number;
}

/**
 * Whether a node gets tasks, or the first thing that keeps them off: `lost`, given up; `suspect`, silent for some seconds; `awaited`, it
 * has not found the master that leads now; `draining`, to be removed; `quarantined`, for a time, because all that it did failed; `full`: its disk is.
 */
export type NodeState = "up" | "lost" | "suspect" | "awaited" | "draining" | "quarantined" | "blacklisted" | "full";

export interface NodeInfo {
  readonly name: string;
  /** As a master of version 0.2 or later tells it. */
  readonly state?: NodeState;
  /** Why it is in quarantine; `null`: it is not. */
  readonly reason?: string | null;
  /** Base URL of its data server; `null`: on one machine, where files are read. */
  readonly url?: string | null;
  /** Milliseconds since it was last heard. Not told, like its memory, on one machine. */
  readonly lastHeardMs?: number;
  readonly memoryFreeBytes?: number;
  readonly memoryTotalBytes?: number;
  readonly slots: number;
  readonly connected: boolean;
  readonly blacklisted: boolean;
  readonly tasksOk: number;
  readonly tasksFailed: number;
  readonly dataErrors: number;
  readonly diskFreeBytes: number;
  readonly diskUsedBytes: number;
  /** Names of the jobs whose tasks run there, one for each running task. */
  readonly tasks: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Whether a node can be taken away, and what it is still needed for. */
export interface NodeRemoval {
  readonly host: string;
  /** Nothing new starts there. */
  readonly draining: boolean;
  /** Attempts there that run or wait in its queue. */
  readonly attempts: number;
  /** Active jobs that may read from it. Without it, what lies there is made again on other nodes. */
  readonly jobs: readonly string[];
  /** Ended jobs some of whose results lie there, and would be gone. */
  readonly resultsOfJobs: number;
  /** It takes no new tasks, and nothing of the above is left. */
  readonly safe: boolean;
}

/** A live attempt of a task. */
export interface AttemptInfo {
  /** Counts from 0 within the task. */
  readonly attempt: number;
  readonly host: string;
  /** Milliseconds since 1970, when it began; `null`: it is queued on the node, or began less than a tenth of a second ago. */
  readonly startedAt: number | null;
  /** It was started beside another one that is slow. */
  readonly speculative: boolean;
  /** As last reported; `null` before the first report. */
  readonly progress: TaskProgress | null;
}

export type TaskStatus = "waiting" | "sleeping" | "queued" | "running" | "done" | "gone";

export interface TaskInfo {
  readonly stage: string;
  /** Number of the task in its stage. */
  readonly task: number;
  /**
   * `sleeping`: failed, and tried again at `wakeAt`. `queued`: given to a node, whose workers are busy. `gone`: done, but its
   * output was lost and nobody needs it now.
   */
  readonly status: TaskStatus;
  /** Why it waits, for people (`max_cores 2 reached`); `null` when it does not. */
  readonly waits: string | null;
  /** Milliseconds since 1970; `null` unless it sleeps. */
  readonly wakeAt: number | null;
  /** Live attempts, the oldest first. */
  readonly attempts: readonly AttemptInfo[];
  /** Attempts so far, live ones included. */
  readonly attemptsMade: number;
  readonly failures: number;
  /** Attempts lost with their worker or node. */
  readonly lost: number;
  readonly label: number | null;
  /** Bytes of its input when known, else 0. */
  readonly bytesTotal: number;
  /** Of the committed output; `null` before. */
  readonly done: { readonly host: string; readonly recordsIn: number; readonly recordsOut: number } | null;
}

/** Part of a list of tasks. */
export interface TaskPage {
  readonly tasks: readonly TaskInfo[];
  /** How many match, on all pages. */
  readonly total: number;
  /** `offset` of the next page; `null`: this was the last. */
  readonly next: number | null;
}

export interface TaskQuery {
  /** Name of a stage. Default: all stages. */
  readonly stage?: string;
  readonly status?: TaskStatus;
  /** Matching tasks to leave out. Default 0. */
  readonly offset?: number;
  /** Tasks a page, at most 1,000. Default 100. */
  readonly limit?: number;
}

/** A state of the master that somebody should do something about. */
export interface Alarm {
  /** E.g. `disk-full`. */
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface MasterInfo {
  /** Version of the package. */
  readonly version: string;
  /** Unique for each start of a master. */
  readonly instance: string;
  readonly pid: number;
  /** Absolute path, on its machine: whoever can read it there reads results as files. */
  readonly root: string;
  readonly epoch: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** It answers questions, but takes and starts nothing, for the reason that `alarms` give. */
  readonly readOnly: boolean;
  readonly alarms: readonly Alarm[];
  readonly scheduler: { readonly policy: "fair" | "fifo"; readonly alpha: number };
  /** Where decisions are recorded, and what survives which accident. */
  readonly journal: {
    readonly engine: string;
    readonly durable: "fsync" | "process-crash" | "memory";
    /** Copies of every record, on as many servers. Left out like the rest: one. */
    readonly replicas?: number;
    /** Version of the engine's server. */
    readonly version?: string;
    /** What somebody should know about it: too few replicas, features that the server ignores. */
    readonly notes?: readonly string[];
  };
  /** Of several masters: what this one does. Left out: there is no other. */
  readonly role?: "leads" | "follows" | "none";
  /** Base URL of the master that leads; `null`: none is known to. */
  readonly leader?: string | null;
  /** What this master tells is as old, in milliseconds; 0 where it leads. */
  readonly ageMs?: number;
  /** Known jobs by status. */
  readonly jobs: { readonly active: number; readonly ready: number; readonly dead: number };
}

/** What an operator may change while the master runs; it outlives restarts. */
export interface MasterSettings {
  /** Failures of one task after which its job is dead, whatever the job itself allows. Default 100. */
  readonly maxFailureRate: number;
  /** `false`: no job is accepted. Default true. */
  readonly acceptNewJobs: boolean;
}

/** Disco's configuration table: nodes and the number of their worker processes, both as text. */
export type ConfigTable = readonly (readonly [node: string, slots: string])[];

export interface JobEvent {
  /** ISO 8601, UTC. */
  readonly time: string;
  /** `master`, or the node's name. */
  readonly host: string;
  /** `map:3`, when the event belongs to a task. */
  readonly task: string | null;
  readonly level: EventLevel;
  readonly message: string;
}

export interface JobResult {
  readonly name: string;
  readonly status: JobStatus | "unknown_job";
  readonly results: readonly string[];
  readonly reason: string | null;
  readonly failure: TaskFailure | null;
}

export interface MasterApi {
  /** Tags and blobs. */
  readonly ddfs: DdfsApi;
  /**
   * Starts a job from its job pack and returns its unique name. `spec`: what the pack tells the master, which one in this process
   * then need not read. `JobError` when the pack is refused.
   */
  submit(pack: Uint8Array, options?: { idempotencyKey?: string; spec?: JobSpec }): Promise<string>;
  /**
   * Answers when at least one of the named jobs is not active (any more), or at time-out. Aborted by `signal`, it rejects with the
   * signal's reason.
   */
  results(names: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<JobResult[]>;
  jobInfo(name: string): Promise<JobInfo>;
  jobList(): Promise<JobListEntry[]>;
  /** The job pack, as it was submitted. */
  jobPack(name: string): Promise<Uint8Array>;
  nodeInfo(): Promise<NodeInfo[]>;
  /** Addresses of the outputs of one stage that has ended. */
  stageResults(name: string, stage: string): Promise<string[]>;
  kill(name: string, reason?: string): Promise<void>;
  clean(name: string): Promise<void>;
  purge(name: string): Promise<void>;
  blacklist(node: string): Promise<void>;
  whitelist(node: string): Promise<void>;
  /** Starts no more tasks on a node that is to be taken away. `DiscoError` `unknown-node`. */
  drain(node: string): Promise<void>;
  undrain(node: string): Promise<void>;
  /** `DiscoError` `unknown-node`. */
  removal(node: string): Promise<NodeRemoval>;
  /** Tasks of a job that is active, with their live attempts. Of a job that has ended: none. */
  tasks(name: string, query?: TaskQuery): Promise<TaskPage>;
  masterInfo(): Promise<MasterInfo>;
  settings(): Promise<MasterSettings>;
  saveSettings(changes: Partial<MasterSettings>): Promise<void>;
  configTable(): Promise<ConfigTable>;
  /** Slots of a node take effect at once. `DiscoError` `bad-config`. */
  saveConfigTable(table: ConfigTable): Promise<void>;
  /** Nodes that garbage collection empties for their removal. */
  gcBlacklist(): Promise<string[]>;
  gcBlacklistNode(node: string): Promise<void>;
  gcWhitelistNode(node: string): Promise<void>;
  /** Events from a byte offset on; ends when the job has ended and all of its events were given. */
  events(
    name: string,
    offset: number,
    options?: { follow?: boolean; signal?: AbortSignal },
  ): AsyncIterable<[offset: number, event: JobEvent]>;
  /**
   * State of a job now and after each change (at most every `intervalMs`), until it has ended. Of a master elsewhere `inputs` is
   * empty, and `results` come with the end: both may be long, and neither changes meanwhile. `jobInfo` has them.
   */
  progress(name: string, options?: { intervalMs?: number; signal?: AbortSignal }): AsyncIterable<JobInfo>;
  oobGet(name: string, key: string): Promise<Uint8Array>;
  oobList(name: string): Promise<string[]>;
  /** A raw request to Disco's HTTP interface (`wire.md`): path with query, body where there is one. */
  request(
    path: string,
    options?: { data?: string | Uint8Array; offset?: number },
  ): Promise<{ status: number; body: Uint8Array }>;
  close(): Promise<void>;
}
