/**
 * `disco kill`, `clean`, `purge`: jobs to end, to forget, to delete.
 *
 * A pattern of `kill` means jobs that are active, and so does a shortened name; one of `clean` and `purge` means those that have ended, unless `--force` says
 * that active ones are to be killed for it. A job that is named and active is refused without `--force`, and so is a full name
 * that nobody knows: with it, files are purged whose job was cleaned before.
 */
import type { Disco } from "../../client/disco.ts";
import type { JobListEntry } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";
import type { JobStatus } from "../../index.ts";
import { printJson } from "../print/write-out.ts";
import { confirm } from "./confirm.ts";
import { isUnknownFullName, selectJobs } from "./job-names.ts";
import { type StoreOptions, withDisco } from "./open-disco.ts";

export interface EndOptions extends StoreOptions {
  readonly yes?: boolean;
}

export interface RemoveOptions extends EndOptions {
  readonly force?: boolean;
  readonly status?: JobStatus;
}

/** One of `--json`. `done`: false when there was nothing to do. */
interface Change {
  readonly name: string;
  readonly done: boolean;
}

export async function killJobs(words: readonly string[], options: EndOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    const jobs = await disco.joblist();
    const isActive = statusTest(jobs, (status) => status === "active");
    const { names, guessed } = selectJobs(jobs, words, {
      mayMatch: ({ status }) => status === "active",
      narrows: true,
    });
    const active = names.filter(isActive);
    if (needsLook(active, guessed)) await confirm({ verb: "kill", names: active, yes: options.yes === true });
    const changes = await change(
      names,
      async (name) => {
        if (!isActive(name)) return "has ended already";
        await disco.kill(name);
        return null;
      },
      { done: "killed", nothing: "nothing to kill: what matches has ended" },
    );
    if (options.json === true) printJson(changes);
  });
}

export function cleanJobs(words: readonly string[], options: RemoveOptions): Promise<void> {
  return remove("clean", words, options, (disco, name) => disco.clean(name));
}

export function purgeJobs(words: readonly string[], options: RemoveOptions): Promise<void> {
  return remove("purge", words, options, (disco, name) => disco.purge(name));
}

async function remove(
  verb: "clean" | "purge",
  words: readonly string[],
  options: RemoveOptions,
  end: (disco: Disco, name: string) => Promise<void>,
): Promise<void> {
  await withDisco(options, async (disco) => {
    const jobs = await disco.joblist();
    const force = options.force === true;
    const ofStatus = (job: JobListEntry): boolean => options.status === undefined || job.status === options.status;
    const known = jobs.filter(ofStatus);
    const mayMatch = ({ status }: JobListEntry): boolean => force || status !== "active";
    // Of a job whose records were cleaned, nobody but the directory of its files knows.
    const forgotten = force && verb === "purge" ? words.filter((word) => isUnknownFullName(word, jobs)) : [];
    const chosen = selectJobs(
      known,
      words.filter((word) => !forgotten.includes(word)),
      { mayMatch },
    );
    const names = [...chosen.names, ...forgotten];
    const isActive = statusTest(jobs, (status) => status === "active");
    const active = names.filter(isActive);
    if (active.length > 0 && !force) throw stillActive(verb, active);
    if (needsLook(names, chosen.guessed)) await confirm({ verb, names, yes: options.yes === true });
    const changes = await change(
      names,
      async (name) => {
        await end(disco, name);
        return null;
      },
      {
        done: `${verb}${verb === "clean" ? "ed" : "d"}`,
        nothing: `nothing to ${verb}: what matches still runs (--force)`,
      },
    );
    if (options.json === true) printJson(changes);
  });
}

/** One after the other, each told when it is done: what was done before an error is known then. */
async function change(
  names: readonly string[],
  act: (name: string) => Promise<string | null>,
  { done, nothing }: { readonly done: string; readonly nothing: string },
): Promise<Change[]> {
  const changes: Change[] = [];
  if (names.length === 0) process.stderr.write(`${nothing}\n`);
  for (const name of names) {
    const objection = await act(name);
    changes.push({ name, done: objection === null });
    process.stderr.write(objection === null ? `${done} ${name}\n` : `${name} ${objection}\n`);
  }
  return changes;
}

function needsLook(names: readonly string[], guessed: boolean): boolean {
  return names.length > 1 || (guessed && names.length > 0);
}

function statusTest(jobs: readonly JobListEntry[], test: (status: JobStatus) => boolean): (name: string) => boolean {
  const names = new Set(jobs.filter(({ status }) => test(status)).map(({ name }) => name));
  return (name) => names.has(name);
}

function stillActive(verb: string, active: readonly string[]): DiscoError {
  const [first = ""] = active;
  return new DiscoError(`${active.join(", ")} still ${active.length === 1 ? "runs" : "run"}`, {
    code: "job-active",
    job: first,
    hint: `\`disco kill\` ends it first; \`disco ${verb} --force\` does both.`,
  });
}
