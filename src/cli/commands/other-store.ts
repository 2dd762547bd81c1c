/**
 * A root has two stores of jobs: that of its daemon, and that of the engines inside of commands, for the time without one. A command
 * sees one of them, and its user may not know that there are two: the job that they ran before `disco start`, or the one that
 * goes on at the next, is not gone.
 *
 * The engines' store is opened and looked at. The daemon's is the daemon's: while it does not run, directories of jobs that the
 * engines do not know are all that is to be seen. Jobs whose records were cleaned have such directories, too.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Disco } from "../../client/disco.ts";
import type { JobListEntry } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";
import { localMaster } from "../../settings/addresses.ts";
import { daemonJournalName } from "../../settings/daemon-settings.ts";
import { daemonState } from "../daemon/running.ts";
import { type ChosenMaster, isByRoot } from "../master/choose-master.ts";
import { storedNames } from "../master/stored-jobs.ts";
import { formatCount } from "../progress/quantity.ts";
import { isPattern, patternOf } from "./job-pattern.ts";

/** An error that says where the job is that the chosen master does not know; `null`: that is not known. */
export async function foundElsewhere(
  master: ChosenMaster,
  { job: word, message }: DiscoError,
): Promise<DiscoError | null> {
  if (word === undefined || word.startsWith("@")) return null;
  const stored = (await storedNames(master.root)).filter(beginsAs(word));
  if (stored.length === 0) return null;
  const hint =
    master.kind === "remote" ? await hintOfEngines(master.root, word) : await hintOfDaemon(master.root, stored);
  return hint === null ? null : new DiscoError(message, { code: "unknown-job", job: word, hint });
}

async function hintOfEngines(root: string, word: string): Promise<string | null> {
  const found = (await jobsOfEngines(root)).find(({ name }) => beginsAs(word)(name));
  return found === undefined ? null : `${found.name} was run without the daemon: --master local finds it.`;
}

async function hintOfDaemon(root: string, [name]: readonly string[]): Promise<string | null> {
  if (!existsSync(join(root, daemonJournalName))) return null;
  const { kind } = await daemonState(root);
  if (kind === "running") return `The daemon of ${root} runs, and may know it: leave out --master local.`;
  return `The files of ${name} are there: the daemon of ${root} knows its jobs when it runs. \`disco start\` goes on with them.`;
}

/** A line about jobs that a list does not have, because they are in the other store; `null`: there are none. */
export async function otherJobs(
  master: ChosenMaster,
  known: readonly JobListEntry[],
  isMeant: (job: Pick<JobListEntry, "name">) => boolean,
): Promise<string | null> {
  if (!isByRoot(master)) return null;
  const names = new Set(known.map(({ name }) => name));
  const stored = (await storedNames(master.root)).filter((name) => !names.has(name) && isMeant({ name }));
  if (stored.length === 0) return null;
  if (master.kind === "remote") {
    const count = (await jobsOfEngines(master.root)).filter(isMeant).length;
    return count === 0
      ? null
      : `${counted(count, known)} ${count === 1 ? "was" : "were"} run without the daemon (--master local)`;
  }
  if (!existsSync(join(master.root, daemonJournalName))) return null;
  const have = stored.length === 1 ? "has" : "have";
  return `${counted(stored.length, known)} ${have} files here: jobs of the daemon are known when it runs (\`disco start\`)`;
}

async function jobsOfEngines(root: string): Promise<JobListEntry[]> {
  await using disco = new Disco(localMaster, { root });
  return await disco.joblist();
}

function beginsAs(word: string): (name: string) => boolean {
  const pattern = isPattern(word) ? patternOf(word) : null;
  return (name) => (pattern === null ? name.startsWith(word) : pattern.test(name));
}

function counted(count: number, known: readonly JobListEntry[]): string {
  return `${formatCount(count)} ${known.length === 0 ? "" : "more "}${count === 1 ? "job" : "jobs"}`;
}
