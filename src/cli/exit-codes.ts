/** What the commands return to the shell; `docs/cli.md` lists them. */
import { CommError, DiscoError } from "../errors.ts";

export const exitCodes = {
  ok: 0,
  /** A job died, or the job's own code threw. */
  failed: 1,
  /** Nothing was started: bad arguments or options, a file or a job that does not exist. */
  usage: 2,
  /** The master does not answer. */
  unreachable: 3,
  /** Ctrl-C, as shells count it: 128 + the number of the signal. */
  interrupted: 130,
  terminated: 143,
} as const;

/** Codes of errors in what was asked for. */
const usageCodes: ReadonlySet<string> = new Set([
  "ambiguous-name",
  "bad-address",
  "bad-argument",
  "bad-config",
  "bad-config-file",
  "bad-jobpack",
  "bad-option",
  "bad-setting",
  "bad-settings",
  "bad-url",
  "engine-needed",
  "job-active",
  "no-master",
  "no-nats-server",
  "not-confirmed",
  "not-yet",
  "other-settings",
  "token-needed",
  "unknown-job",
  "unknown-key",
  "unknown-node",
  "unknown-stage",
]);

/** The same of DDFS: what there is not, what may not be, what cannot be done. */
const ddfsUsageCodes: ReadonlySet<string> = new Set([
  "bad-archive",
  "bad-attribute",
  "bad-name",
  "bad-replicas",
  "file-exists",
  "is-directory",
  "no-permission",
  "no-snapshot",
  "no-volume",
  "not-empty",
  "several-clusters",
  "no-such-file",
  "not-enough-nodes",
  "nothing-to-push",
  "tag-exists",
  "tag-unauthorized",
  "unknown-attribute",
  "unknown-tag",
]);

/** What the command returns for an error that ended it. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof DiscoError && error.code === "interrupted") return exitCodes.interrupted;
  if (error instanceof DiscoError && error.code === "terminated") return exitCodes.terminated;
  if (isUsageError(error)) return exitCodes.usage;
  return error instanceof CommError && error.code === "comm-error" ? exitCodes.unreachable : exitCodes.failed;
}

export function isUsageError(error: unknown): boolean {
  return error instanceof DiscoError && (usageCodes.has(error.code) || ddfsUsageCodes.has(error.code));
}
