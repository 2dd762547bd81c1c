/** Names of jobs: the prefix that a user chooses, and the unique name that the master makes of it. */
import { DiscoError, JobError } from "../errors.ts";
import { shown } from "./option-checks.ts";
import type { JobRef } from "./results.ts";

const prefixPattern = /^[a-zA-Z0-9_]{1,100}$/;
/** A unique name: a prefix, and a suffix of the master's. */
const namePattern = /^[a-zA-Z0-9_@:]{1,200}$/;

/** Throws `JobError` `bad-name` for what cannot be (the first part of) a job's name. */
export function checkPrefix(prefix: unknown): string {
  if (typeof prefix === "string" && prefixPattern.test(prefix)) return prefix;
  const name = typeof prefix === "string" ? JSON.stringify(prefix) : shown(prefix);
  throw new JobError(`bad job name ${name}: 1 to 100 characters of a-z, A-Z, 0-9 and _ were expected`, {
    code: "bad-name",
    hint: suggestion(prefix),
  });
}

function suggestion(prefix: unknown): string {
  const fixed = typeof prefix === "string" ? prefix.replace(/[^a-zA-Z0-9_]+/g, "_").slice(0, 100) : "";
  return prefixPattern.test(fixed) ? `For instance ${JSON.stringify(fixed)}.` : 'For instance "wordcount".';
}

/** Whether something can be the name of a job that exists. */
export function isJobName(name: unknown): name is string {
  return typeof name === "string" && namePattern.test(name);
}

/** The name of the job that is meant. Throws `DiscoError` `bad-name`. */
export function nameOf(job: JobRef): string {
  const name = typeof job === "string" ? job : Array.isArray(job) ? job[0] : (job as { name?: unknown } | null)?.name;
  if (isJobName(name)) return name;
  throw new DiscoError(`${typeof name === "string" ? JSON.stringify(name) : shown(job)} is not the name of a job`, {
    code: "bad-name",
    hint: "Pass a Job, the name of one, or an item that results() gave.",
  });
}

/**
 * The name of the job that wrote a result (the seed: `disco.util.jobname`), from its `dir://`, `disco://` or `http://` address.
 * @throws DiscoError `bad-url` when the address is not that of a result.
 */
export function jobname(url: string): string {
  const tag = /^tag:\/\/disco:results:(.+)$/.exec(url)?.[1];
  const parts = /^(?:dir|disco|https?):\/\/[^/]+\/(.*)$/.exec(url)?.[1]?.split("/") ?? [];
  // `disco/HOST/hh/JOB/…` now, `JOB/…` in the days of the seed.
  const name = tag ?? (parts[0] === "disco" ? parts[3] : parts[0]);
  if (isJobName(name)) return name;
  throw new DiscoError(`${url} is not the address of a result, so it names no job`, {
    code: "bad-url",
    url,
    hint: "Addresses of results begin with dir://HOST/disco/HOST/…",
  });
}
