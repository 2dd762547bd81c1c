/**
 * Every error that Disco throws, with its code and its retry policy.
 *
 * Errors are few and coded; nothing in the code base matches on message strings. Each carries what a person needs to
 * act: the job, task, node and URL it concerns, the `cause`, and a `hint` (the next thing to try).
 */
import { packageFolder } from "./package-files.ts";

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

/** Deep enough for the caller's line behind our own frames, which Node's 10 are not. */
const stackFramesMax = 50;
/** A frame of a stack that has a line, other than Node's own. */
const placed = /^ +at (?!(?:.*[( ])?node:).*:\d+:\d+\)?$/;

/** The base of all of Disco's errors (the seed: `disco.error.DiscoError`). */
export class DiscoError extends Error {
  declare readonly code: string;
  declare readonly retry: RetryPolicy;
  declare readonly hint: string | undefined;
  declare readonly job: string | undefined;
  declare readonly task: string | undefined;
  declare readonly node: string | undefined;
  declare readonly url: string | undefined;

  static {
    nameErrors(DiscoError, "DiscoError");
  }

  constructor(message: string, details: DiscoErrorDetails = {}) {
    const limit = Error.stackTraceLimit;
    // A program may have set it to none, or frozen it.
    Reflect.set(Error, "stackTraceLimit", limit > 0 ? Math.max(limit, stackFramesMax) : limit);
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const stack = callerStack(this);
    Reflect.set(Error, "stackTraceLimit", limit);
    if (stack !== undefined) this.stack = stack;
    const { code = "error", retry = "never", hint, job, task, node, url } = details;
    for (const [name, value] of Object.entries({ code, retry, hint, job, task, node, url })) {
      // What is not known stays out of what Node prints.
      Object.defineProperty(this, name, { value, enumerable: value !== undefined, configurable: true, writable: true });
    }
  }
}

/** A job could not be started, died, was killed, or did not end in time (the seed: `disco.JobError`). */
export class JobError extends DiscoError {
  /** The first fatal failure of a task, when one ended the job. */
  declare readonly failure: TaskFailure | undefined;

  static {
    nameErrors(JobError, "JobError");
  }

  constructor(message: string, details: DiscoErrorDetails & { failure?: TaskFailure } = {}) {
    super(message, { code: "job-error", ...details });
    // The message tells all of it that is for people.
    Object.defineProperty(this, "failure", {
      value: details.failure,
      enumerable: isDebugging(),
      configurable: true,
      writable: true,
    });
  }
}

/** The data of a task is bad or out of reach *here*: the task fails and is tried on another node or replica. */
export class DataError extends DiscoError {
  static {
    nameErrors(DataError, "DataError");
  }

  constructor(message: string, details: DiscoErrorDetails = {}) {
    super(message, { code: "data-error", retry: "elsewhere", ...details });
  }
}

/** Nobody answered, or the answer broke off: a problem of communication, not of the job. */
export class CommError extends DiscoError {
  static {
    nameErrors(CommError, "CommError");
  }

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

/** On the prototype, as for JavaScript's own errors: there when the stack is made, and no property of each error. */
function nameErrors(kind: { readonly prototype: DiscoError }, name: string): void {
  Object.defineProperty(kind.prototype, "name", { value: name, configurable: true, writable: true });
}

/**
 * The stack from the caller's first line on: what Node prints for an error that nobody caught should show the line to look at, and
 * not how Disco works. `undefined`: as it is, since it is wanted whole, or is Disco's alone.
 */
function callerStack({ name, message, stack = "" }: Error): string | undefined {
  const head = message === "" ? name : `${name}: ${message}`;
  if (isDebugging() || !stack.startsWith(`${head}\n`)) return undefined;
  const frames = stack.slice(head.length + 1).split("\n");
  const theirs = frames.filter((frame) => placed.test(frame) && !frame.includes(packageFolder));
  return theirs.length === 0 ? undefined : [head, ...theirs].join("\n");
}

function isDebugging(): boolean {
  return process.env["DISCO_DEBUG"] === "1";
}
