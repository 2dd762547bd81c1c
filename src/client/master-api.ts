/**
 * What a client needs of a master. The embedded engine implements it directly (`master/embedded.ts`); a remote master is
 * the same interface over HTTP. Names of methods follow Disco's.
 */
import type { JobStatus } from "../core/job/spec.ts";
import type { TaskFailure } from "../errors.ts";
import type { EventLevel } from "../protocol/messages.ts";

export interface JobListEntry {
  readonly name: string;
  readonly status: JobStatus;
  /** Milliseconds since 1970. */
  readonly submittedAt: number;
}

export interface StageInfo {
  readonly stage: string;
  /** Not yet known how many (the stage before still runs) is `tasks: 0`. */
  readonly tasks: number;
  readonly waiting: number;
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

export interface NodeInfo {
  readonly name: string;
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
  /** Starts a job from its job pack and returns its unique name. `JobError` when the pack is refused. */
  submit(pack: Uint8Array, options?: { idempotencyKey?: string }): Promise<string>;
  /** Answers when at least one of the named jobs is not active (any more), or at time-out. */
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
  /** Events from a byte offset on; ends when the job has ended and all of its events were given. */
  events(
    name: string,
    offset: number,
    options?: { follow?: boolean; signal?: AbortSignal },
  ): AsyncIterable<[offset: number, event: JobEvent]>;
  /** State of a job now and after each change (at most every `intervalMs`), until it has ended. */
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
