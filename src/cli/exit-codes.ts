/** What the commands return to the shell; `docs/cli.md` lists them. */
import { DiscoError } from "../errors.ts";

export const exitCodes = {
  ok: 0,
  /** A job died, or the job's own code threw. */
  failed: 1,
  /** Nothing was started: bad arguments or options, a file or a job that does not exist. */
  usage: 2,
  /** Ctrl-C, as shells count it: 128 + the number of the signal. */
  interrupted: 130,
  terminated: 143,
} as const;

/** Codes of errors in what was asked for. */
const usageCodes: ReadonlySet<string> = new Set([
  "bad-address",
  "bad-argument",
  "bad-option",
  "not-yet",
  "unknown-job",
]);

export function isUsageError(error: unknown): boolean {
  return error instanceof DiscoError && usageCodes.has(error.code);
}
