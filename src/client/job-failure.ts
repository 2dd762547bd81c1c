/** The errors with which waiting for a job ends when there will be no results. */
import { DiscoError, JobError, type TaskFailure } from "../errors.ts";
import type { JobResult } from "./master-api.ts";

/** Why `result`, of a job that is dead or unknown, has no results. */
export function jobFailure(result: JobResult): DiscoError {
  const { name, status, reason, failure } = result;
  if (status === "unknown_job") return unknownJob(name);
  if (failure === null) {
    return new JobError(`job ${name} is dead: ${reason ?? "no reason is known"}`, { code: "job-dead", job: name });
  }
  const why = reason === null || reason === failure.message ? "" : `: ${reason}`;
  return new JobError(`job ${name} is dead${why}\n${describeFailure(failure)}`, {
    code: failure.code,
    job: name,
    failure,
    ...(failure.url === undefined ? {} : { url: failure.url }),
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
  });
}

export function unknownJob(name: string): DiscoError {
  return new DiscoError(`there is no job ${name}`, {
    code: "unknown-job",
    job: name,
    hint: "It was never started here, or its records were cleaned or purged.",
  });
}

export function timedOut(name: string, seconds: number, waits: readonly string[]): JobError {
  const why = waits.length === 0 ? "" : `; tasks wait: ${waits.join("; ")}`;
  return new JobError(`job ${name} has not ended in ${seconds} s; it goes on running${why}`, {
    code: "timeout",
    job: name,
    hint: "Wait longer, or end it with kill().",
  });
}

/** An address of `raw://` is the whole input. */
const addressCharsMax = 200;

function shortened(url: string): string {
  const line = url.replace(/\s+/g, " ");
  return line.length > addressCharsMax ? `${line.slice(0, addressCharsMax)}…` : line;
}

/** `TypeError: x is not a function`, where in the user's source, and the lines around it. */
function describeFailure({ name, message, location, frame, url }: TaskFailure): string {
  const lines = [message.startsWith(`${name}:`) ? message : `${name}: ${message}`];
  if (location !== undefined) lines.push(`    at ${location.file}:${location.line}:${location.column}`);
  if (url !== undefined && !message.includes(url)) lines.push(`    while reading ${shortened(url)}`);
  if (frame !== undefined && frame !== "") lines.push("", frame);
  return lines.join("\n");
}
