/** The document of `--json`; docs/cli.md has its schema. New keys may come, none changes while `version` is 1. */
import type { ProfileStats } from "../../client/profile/profile-stats.ts";
import { reportError } from "./error-report.ts";
import type { JobReport } from "./job-report.ts";

export interface DocumentContents {
  readonly jobs: readonly JobReport[];
  readonly results: readonly string[] | null;
  /** `null`: all went well. */
  readonly failure: unknown;
  /** Of `--profile`. */
  readonly profile?: ProfileStats | null;
}

export function printDocument({ jobs, results, failure, profile = null }: DocumentContents): void {
  const error = failure === null ? null : reportError(failure);
  const document = {
    version: 1,
    ok: failure === null,
    results: results ?? [],
    jobs,
    error,
    ...(profile === null ? {} : { profile }),
  };
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** What the other commands print instead of their output when they fail. */
export function printError(failure: unknown): void {
  process.stdout.write(`${JSON.stringify({ error: reportError(failure) }, null, 2)}\n`);
}
