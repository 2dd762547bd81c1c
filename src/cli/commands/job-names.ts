/**
 * Which jobs a person means. Names are long (`hamlet@5f2:1a3:7`), so commands take less:
 *
 * - `hamlet`: the newest job of that name; `ham`, `hamlet@5f`: what begins so, when that is one name only;
 * - `@`: the newest job of all; `@?TEXT`: the newest whose name contains TEXT (both as in Disco);
 * - patterns with `*`, `?` and `[…]`, where a command takes several jobs.
 *
 * A full name is passed on without a look at the list of jobs, which may be long.
 */
import type { Disco } from "../../client/disco.ts";
import type { JobListEntry } from "../../client/master-api.ts";
import { nearestName } from "../../client/nearest-name.ts";
import { DiscoError } from "../../errors.ts";
import { isPattern, patternOf } from "./job-pattern.ts";

const fullName = /^\w+@[0-9a-f]+:[0-9a-f]+:[0-9a-f]+$/i;
const namesShownMax = 8;

/** The full name of the one job that is meant. @throws DiscoError `unknown-job`, `ambiguous-name` */
export async function resolveName(disco: Disco, name: string): Promise<string> {
  if (fullName.test(name)) return name;
  return newestOf(await disco.joblist(), name);
}

/** As `resolveName`, on a list that is known. */
export function newestOf(jobs: readonly JobListEntry[], name: string): string {
  const sorted = newestFirst(jobs);
  if (name.startsWith("@")) {
    const text = name.replace(/^@\??/, "");
    const found = sorted.find((job) => job.name.includes(text));
    if (found === undefined) throw unknownName(name, jobs);
    return found.name;
  }
  const same = sorted.find((job) => job.name === name || prefixOf(job.name) === name);
  if (same !== undefined) return same.name;
  const begun = sorted.filter((job) => job.name.startsWith(name));
  const kinds = new Set(begun.map((job) => (name.includes("@") ? job.name : prefixOf(job.name))));
  if (kinds.size > 1) throw ambiguous(name, [...kinds]);
  if (begun[0] === undefined) throw unknownName(name, jobs);
  return begun[0].name;
}

/** Jobs that a command is to change, and whether each of them was named in full. */
export interface Selection {
  readonly names: readonly string[];
  /** Somebody should look at the list before it happens: a pattern, or a shortened name, chose some of them. */
  readonly guessed: boolean;
}

export interface SelectOptions {
  /** Jobs that a pattern may mean; one that is named is meant whatever it is. Default: all. */
  readonly mayMatch?: (job: JobListEntry) => boolean;
  /** A shortened name that several jobs have means, as a pattern does, those of them that may match. */
  readonly narrows?: boolean;
}

/**
 * Jobs to change, in the order in which they were named, none twice. A name may be shortened to what only one job begins with:
 * here the newest of several is not what one means.
 * @throws DiscoError `unknown-job`, `ambiguous-name`
 */
export function selectJobs(
  jobs: readonly JobListEntry[],
  words: readonly string[],
  options: SelectOptions = {},
): Selection {
  const names = new Set<string>();
  let guessed = false;
  for (const word of words) {
    const exact = jobs.some((job) => job.name === word);
    const found = exact ? [word] : matching(jobs, word, options);
    guessed ||= !exact;
    for (const name of found) names.add(name);
  }
  return { names: [...names], guessed };
}

export function isUnknownFullName(word: string, jobs: readonly JobListEntry[]): boolean {
  return fullName.test(word) && !jobs.some(({ name }) => name === word);
}

function matching(
  jobs: readonly JobListEntry[],
  word: string,
  { mayMatch = () => true, narrows = false }: SelectOptions,
): string[] {
  const sorted = newestFirst(jobs);
  if (word.startsWith("@")) return [newestOf(jobs, word)];
  if (isPattern(word)) {
    const pattern = patternOf(word);
    const found = sorted.filter(({ name }) => pattern.test(name));
    if (found.length === 0) throw unknownName(word, jobs, `no job's name matches ${word}`);
    return found.filter(mayMatch).map(({ name }) => name);
  }
  const found = sorted.filter(({ name }) => name.startsWith(word));
  if (found.length === 0) throw unknownName(word, jobs);
  const meant = (narrows && found.length > 1 ? found.filter(mayMatch) : found).map(({ name }) => name);
  if (meant.length > 1) throw ambiguous(word, meant, `Type more of the name; '${word}*' means all of them.`);
  return meant;
}

/** The same error, with the name that was probably meant. */
export async function withSuggestion(disco: Disco, error: DiscoError): Promise<DiscoError> {
  const name = error.job;
  if (name === undefined || error.hint?.startsWith("Did you mean") === true) return error;
  const jobs = await disco.joblist().catch(() => []);
  const meant = nearestJob(name, jobs);
  return meant === undefined ? error : unknownName(name, jobs);
}

function unknownName(name: string, jobs: readonly JobListEntry[], message = `there is no job ${name}`): DiscoError {
  const meant = nearestJob(name, jobs);
  const hint = meant === undefined ? "`disco jobs` lists the jobs there are." : `Did you mean ${meant}?`;
  return new DiscoError(message, { code: "unknown-job", job: name, hint });
}

/** What is typed by hand is mostly the part before the `@`, and there the slips are. */
function nearestJob(name: string, jobs: readonly JobListEntry[]): string | undefined {
  const sorted = newestFirst(jobs);
  const prefix = nearestName(prefixOf(name), new Set(sorted.map((job) => prefixOf(job.name))));
  if (prefix === undefined) return undefined;
  const same = sorted.filter((job) => prefixOf(job.name) === prefix).map((job) => job.name);
  return (name.includes("@") ? nearestName(name, same) : undefined) ?? same[0];
}

function ambiguous(name: string, found: readonly string[], hint = "Type more of the name."): DiscoError {
  const shown = found.slice(0, namesShownMax).join(", ");
  const more = found.length > namesShownMax ? ` and ${found.length - namesShownMax} more` : "";
  return new DiscoError(`${name} may be any of ${shown}${more}`, {
    code: "ambiguous-name",
    hint,
  });
}

function prefixOf(name: string): string {
  const at = name.indexOf("@");
  return at < 0 ? name : name.slice(0, at);
}

function newestFirst(jobs: readonly JobListEntry[]): JobListEntry[] {
  return [...jobs].sort((a, b) => b.submittedAt - a.submittedAt);
}
