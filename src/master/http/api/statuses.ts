/** Which status an error answers with, in one table; what is not in it follows from the first word of its code. */
import { DiscoError } from "../../../errors.ts";
import type { ErrorDetails } from "../../../protocol/api/errors.ts";

const statuses: Readonly<Record<string, number>> = {
  unauthorized: 401,
  forbidden: 403,
  "jobs-not-accepted": 403,
  "not-found": 404,
  "no-job-pack": 404,
  "stage-gone": 404,
  "method-not-allowed": 405,
  "not-acceptable": 406,
  "stage-not-ended": 409,
  "job-exists": 409,
  "length-required": 411,
  "body-too-large": 413,
  "too-many-inputs": 413,
  "record-too-big": 413,
  "unsupported-media-type": 415,
  "too-many-jobs": 429,
  // Not 503: to try again soon is of no use, and the reason is to be seen at once.
  "disk-full": 507,
  "read-only": 507,
  closed: 503,
  deposed: 503,
  "not-leading": 503,
  "engine-away": 503,
  "journal-busy": 503,
  internal: 500,
  invariant: 500,
  impossible: 500,
  "job-not-stored": 500,
  "upload-failed": 500,
  "journal-io": 500,
  "journal-error": 500,
  "journal-corrupt": 500,
};

export function statusOf(code: string): number {
  const listed = statuses[code];
  if (listed !== undefined) return listed;
  if (code.startsWith("unknown-")) return 404;
  // What a client has sent is wrong in some way that the master has words for.
  return 400;
}

/** Seconds after which it is worth asking again. */
export function retryAfterOf(status: number): number | null {
  return status === 429 || status === 503 ? 1 : null;
}

/** The body's `error`. Of an error that nobody expected, nothing is told but that it happened. */
export function detailsOf(error: unknown): ErrorDetails {
  if (!(error instanceof DiscoError)) {
    return { code: "internal", message: "the master failed to answer; its log has the reason" };
  }
  const { code, message, name, hint, retry, job, task, node, url } = error;
  const failure = "failure" in error ? (error.failure as ErrorDetails["failure"]) : undefined;
  return {
    code,
    message,
    name: name as NonNullable<ErrorDetails["name"]>,
    retry,
    ...(hint === undefined ? {} : { hint }),
    ...(job === undefined ? {} : { job }),
    ...(task === undefined ? {} : { task }),
    ...(node === undefined ? {} : { node }),
    ...(url === undefined ? {} : { url }),
    ...(failure === undefined ? {} : { failure }),
  };
}
