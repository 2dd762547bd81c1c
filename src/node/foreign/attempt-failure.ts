/**
 * Why an attempt of a foreign worker failed, as it is reported. `never` ends the job: only the worker's own FATAL and what is no
 * protocol. All else is tried again, elsewhere first, as a worker cannot tell a bad node from a bad task.
 */
import { DiscoError, type TaskFailure } from "../../errors.ts";
import type { ProgramEnd } from "./program.ts";
import type { SessionEnd } from "./session.ts";

/** Characters of a worker's text that are kept. */
const textCharsMax = 64 * 1_024;

export function endFailure(end: Extract<SessionEnd, { kind: "error" | "fatal" | "violation" }>): TaskFailure {
  const message = cut(end.text);
  switch (end.kind) {
    case "error": {
      const url = end.input === undefined ? {} : { url: end.input };
      return { code: "worker-error", name: "WorkerError", message, retry: "elsewhere", ...url };
    }
    case "fatal":
      return { code: "worker-fatal", name: "WorkerFatal", message, retry: "never" };
    case "violation":
      return { code: "worker-protocol", name: "WorkerProtocolError", message, retry: "never", hint: checkerHint };
  }
}

const checkerHint = "Try the worker with: disco check-worker ./WORKER.";

export function startFailure(problem: string): TaskFailure {
  return {
    code: "worker-start",
    name: "WorkerStartError",
    message: `the worker could not be started: ${problem}`,
    retry: "elsewhere",
  };
}

/** It ended before it said DONE. `words`: what it wrote last that is no message. */
export function exitFailure({ code, signal }: ProgramEnd, words: string): TaskFailure {
  const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
  const hint = words === "" ? { hint: "A worker ends with DONE, ERROR or FATAL, and then waits to be killed." } : {};
  return {
    code: signal === null ? "worker-exit" : "worker-signal",
    name: signal === null ? "WorkerExit" : signal,
    message: withWords(`Worker crashed! It ${how} before it was done`, words),
    retry: "elsewhere",
    ...hint,
  };
}

/** It wrote what is no message. */
export function garbageFailure(what: string, words: string): TaskFailure {
  return {
    code: "worker-garbage",
    name: "WorkerProtocolError",
    message: withWords(`Could not parse worker event: ${what}`, words),
    retry: "elsewhere",
    hint: "Only messages of the worker protocol may go to stdout and stderr: what is to be read by people goes into MSG.",
  };
}

export type SlowWorker = "announce" | "message" | "unread";

export function slowFailure(what: SlowWorker, ms: number, words: string): TaskFailure {
  return {
    code: "worker-timeout",
    name: "WorkerTimeout",
    message: withWords(slowTexts[what](ms / 1_000), words),
    retry: "elsewhere",
    hint: checkerHint,
  };
}

const slowTexts: Readonly<Record<SlowWorker, (seconds: number) => string>> = {
  announce: (seconds) => `Worker did not send its PID in ${seconds} seconds`,
  message: (seconds) => `Worker stuck in the middle of a message for ${seconds} seconds`,
  unread: (seconds) => `Worker did not read its answers for ${seconds} seconds, and went on sending`,
};

export function memoryFailure(limitBytes: number): TaskFailure {
  return {
    code: "out-of-memory",
    name: "OutOfMemoryError",
    message: `the task ran out of memory, limit ${Math.round(limitBytes / (1_024 * 1_024))} MB`,
    retry: "elsewhere",
    hint: "Raise memoryLimit, use more partitions, or keep less in memory at once.",
  };
}

function withWords(message: string, words: string): string {
  const trimmed = cut(words.trim());
  return trimmed === "" ? message : `${message}. Last words:\n${trimmed}`;
}

function cut(text: string): string {
  return text.length > textCharsMax ? `${text.slice(0, textCharsMax)}… (${text.length} characters)` : text;
}

/** The node could not do its part. */
export function nodeFailure(error: unknown): TaskFailure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof DiscoError ? error.code : "worker-start";
  return { code, name, message: `the node could not run the worker: ${message}`, retry: "elsewhere" };
}
