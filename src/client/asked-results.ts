/** `results` of one job or of a list of jobs: what was asked, and the answer in its form. */
import { badOption } from "./bad-option.ts";
import { jobFailure } from "./job-failure.ts";
import { isJob } from "./job-mark.ts";
import { nameOf } from "./job-name.ts";
import type { JobResult } from "./master-api.ts";
import { shown } from "./option-checks.ts";
import { asResults, isResultItem, type JobRef, type ResultItem } from "./results.ts";
import { timeoutMsMax } from "./wait.ts";

export interface AskedResults {
  readonly isOne: boolean;
  readonly names: readonly string[];
  readonly timeoutMs: number;
}

/** Throws `JobError` `bad-option`. */
export function askedResults(jobs: JobRef | readonly JobRef[], timeout: unknown): AskedResults {
  if (typeof timeout !== "number" || !(timeout >= 0)) {
    throw badOption(`timeout: a number of milliseconds was expected, not ${shown(timeout)}`);
  }
  const timeoutMs = Math.min(Math.ceil(timeout), timeoutMsMax);
  if (typeof jobs === "string" || isJob(jobs) || isResultItem(jobs)) {
    return { isOne: true, names: [nameOf(jobs as JobRef)], timeoutMs };
  }
  if (!Array.isArray(jobs)) throw badOption(`results: a job or a list of jobs was expected, not ${shown(jobs)}`);
  return { isOne: false, names: [...new Set((jobs as readonly JobRef[]).map(nameOf))], timeoutMs };
}

/** The results of one job; none while it is active. Throws its `JobError` when it is dead. */
export function resultsOfOne(state: JobResult | undefined): string[] {
  if (state === undefined || state.status === "active") return [];
  if (state.status === "ready") return asResults(state.results);
  throw jobFailure(state);
}

export function finishedAndActive(states: readonly JobResult[]): [finished: ResultItem[], active: ResultItem[]] {
  const finished: ResultItem[] = [];
  const active: ResultItem[] = [];
  for (const { name, status, results } of states) {
    (status === "active" ? active : finished).push([name, [status, asResults(results)]]);
  }
  return [finished, active];
}
