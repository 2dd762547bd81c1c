/**
 * Every error that Disco throws, with its code and its retry policy.
 *
 * Errors are few and coded; nothing in the code base matches on message strings. Each carries what a person needs to
 * act: the job, task, node and URL it concerns, the `cause`, and a `hint` (the next thing to try).
 */

/** What to do after a failure: the same attempt again here, on another node, or not at all. */
export type RetryPolicy = "here" | "elsewhere" | "never";

export interface DiscoErrorDetails {
  /** Stable, kebab-case, for programs: `unknown-job`, `bad-option` … */
  readonly code?: string;
  readonly retry?: RetryPolicy;
  /** The next thing to try, one sentence in the imperative. Shown to people below the message. */
  readonly hint?: string;
  readonly job?: string;
  readonly task?: string;
  readonly node?: string;
  readonly url?: string;
  readonly cause?: unknown;
}

/** The base of all of Disco's errors (the seed: `disco.error.DiscoError`). */
export class DiscoError extends Error {
  override name = "DiscoError";
  readonly code: string;
  readonly retry: RetryPolicy;
  readonly hint: string | undefined;
  readonly job: string | undefined;
  readonly task: string | undefined;
  readonly node: string | undefined;
  readonly url: string | undefined;

  constructor(message: string, details: DiscoErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code ?? "error";
    this.retry = details.retry ?? "never";
    this.hint = details.hint;
    this.job = details.job;
    this.task = details.task;
    this.node = details.node;
    this.url = details.url;
  }
}

/** A job could not be started, died, was killed, or did not end in time (the seed: `disco.JobError`). */
export class JobError extends DiscoError {
  override name = "JobError";
  /** The first fatal failure of a task, when one ended the job. */
  readonly failure: TaskFailure | undefined;

  constructor(message: string, details: DiscoErrorDetails & { failure?: TaskFailure } = {}) {
    super(message, { code: "job-error", ...details });
    this.failure = details.failure;
  }
}

/** The data of a task is bad or out of reach *here*: the task fails and is tried on another node or replica. */
export class DataError extends DiscoError {
  override name = "DataError";
  constructor(message: string, details: DiscoErrorDetails = {}) {
    super(message, { code: "data-error", retry: "elsewhere", ...details });
  }
}

/** Nobody answered, or the answer broke off: a problem of communication, not of the job. */
export class CommError extends DiscoError {
  override name = "CommError";
  constructor(message: string, details: DiscoErrorDetails = {}) {
    super(message, { code: "comm-error", retry: "here", ...details });
  }
}

/** One failed attempt of a task, as a plain value: it crosses processes and is kept in the journal. */
export interface TaskFailure {
  /** `user-error`, `data-error`, `out-of-memory`, `timeout`, `worker-exit`, `worker-signal`, `bad-partition`, `bad-value` … */
  readonly code: string;
  /** The error's class name, e.g. `TypeError`. */
  readonly name: string;
  readonly message: string;
  readonly retry: RetryPolicy;
  /** Stack with the user's own files and lines. */
  readonly stack?: string;
  /** Where in the user's source it was thrown: absolute path or URL, 1-based line and column. */
  readonly location?: { readonly file: string; readonly line: number; readonly column: number };
  /** A few source lines around `location`, with a marker, ready to print (no colours). */
  readonly frame?: string;
  readonly hint?: string;
  /** The input that was being read, if any. */
  readonly url?: string;
}
