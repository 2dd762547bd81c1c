/**
 * Why a worker process ended, told from the outside: exit code, signal, its last words, and what we did to it ourselves.
 *
 * A worker that says "failed" needs no verdict. This is for those that could not: they ran out of memory, exited, crashed,
 * hung and were killed, or were killed by somebody else (*lost*: not the task's fault, as far as one can tell).
 */
import { DiscoError, type TaskFailure } from "../errors.ts";
import { crashSignals } from "../protocol/crash-signals.ts";

export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
  /** It could not be started at all; a `DiscoError`: we killed it for what it sent. */
  readonly error: Error | null;
}

export interface VerdictContext {
  readonly memoryLimitBytes: number;
  /** We killed it since the task made no progress for so long. */
  readonly timedOutAfterMs: number | null;
}

export type Verdict =
  | { readonly kind: "failed"; readonly failure: TaskFailure }
  | { readonly kind: "lost"; readonly reason: string };

/** What a shell, and V8 on some systems, makes of SIGABRT. */
const abortExitCode = 134;
const lastWordsCharsMax = 2_000;

export function judge(end: WorkerEnd, context: VerdictContext): Verdict {
  if (context.timedOutAfterMs !== null) {
    return failed(
      "timeout",
      "TimeoutError",
      `no progress for ${seconds(context.timedOutAfterMs)}: the task was killed`,
      {
        retry: "here",
        hint: "Raise taskTimeout if single records may take so long; otherwise look for an endless loop.",
      },
    );
  }
  if (end.error instanceof DiscoError) {
    const { code, message, retry, hint } = end.error;
    return failed(code, "WorkerProtocolError", message, { retry, ...(hint === undefined ? {} : { hint }) });
  }
  if (end.error !== null) {
    return failed("worker-start", end.error.name, `the worker process could not be started: ${end.error.message}`, {
      retry: "elsewhere",
    });
  }
  if (ranOutOfMemory(end)) {
    const limit = mebibytes(context.memoryLimitBytes);
    return failed("out-of-memory", "OutOfMemoryError", `the task ran out of memory, limit ${limit}`, {
      retry: "elsewhere",
      hint: "Raise memoryLimit, use more partitions, or keep less in memory at once.",
    });
  }
  if (end.signal !== null) {
    if (!crashSignals.has(end.signal))
      return { kind: "lost", reason: `its worker was killed from outside by ${end.signal}` };
    return failed(
      "worker-signal",
      end.signal,
      withLastWords(`the worker process crashed with ${end.signal}`, end.stderr),
      {
        retry: "elsewhere",
        hint: "A native add-on, or process.abort(), ended the process.",
      },
    );
  }
  return failed(
    "worker-exit",
    "WorkerExit",
    withLastWords(`the worker process exited with code ${end.code} in the middle of the task`, end.stderr),
    { retry: "here", hint: "Does the job's code, or a library of it, call process.exit()?" },
  );
}

function ranOutOfMemory(end: WorkerEnd): boolean {
  if (/^disco: out of memory: /m.test(end.stderr)) return true;
  const aborted =
    end.signal === "SIGABRT" || end.signal === "SIGTRAP" || end.signal === "SIGILL" || end.code === abortExitCode;
  return aborted && /(heap out of memory|Allocation failed - process out of memory|OOM error in V8)/i.test(end.stderr);
}

function failed(
  code: string,
  name: string,
  message: string,
  more: { retry: TaskFailure["retry"]; hint?: string },
): Verdict {
  return { kind: "failed", failure: { code, name, message, ...more } };
}

/** The end of stderr belongs to the message: it is often the only trace of what happened. */
function withLastWords(message: string, stderr: string): string {
  const words = stderr.trim().slice(-lastWordsCharsMax);
  return words === "" ? message : `${message}; its last words:\n${words}`;
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / (1024 * 1024))} MB`;
}
