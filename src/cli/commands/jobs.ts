/** `disco jobs`: what was submitted, the newest first. */
import type { Disco } from "../../client/disco.ts";
import type { JobInfo, JobListEntry } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";
import type { JobStatus } from "../../index.ts";
import { type Cell, type Column, formatColumns, widthOf } from "../print/columns.ts";
import { statusCell } from "../print/job-page.ts";
import { formatAge } from "../print/local-time.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { lookOf } from "../progress/look.ts";
import { formatCount, formatSeconds } from "../progress/quantity.ts";
import { isPattern, patternOf } from "./job-pattern.ts";
import { type StoreOptions, withDisco } from "./open-disco.ts";

export interface JobsOptions extends StoreOptions {
  readonly status?: JobStatus;
  /** Jobs to show; 0: all. */
  readonly limit: number;
}

/** One of `disco jobs --json`. Times in milliseconds since 1970. */
export interface ListedJob {
  readonly name: string;
  readonly status: JobStatus;
  readonly owner: string;
  readonly submittedAt: number;
  readonly endedAt: number | null;
  readonly seconds: number;
  /** Tasks that are known so far: later stages are planned when the one before has ended. */
  readonly tasks: number;
  readonly done: number;
  readonly reason: string | null;
}

/** Questions to the master at once. */
const questionsMax = 8;

const columns: readonly Column[] = [
  { title: "NAME", shrinks: true },
  { title: "STATUS" },
  { title: "PROGRESS" },
  { title: "AGE", align: "right" },
  { title: "DURATION", align: "right" },
  { title: "OWNER" },
];

export async function listJobs(words: readonly string[], options: JobsOptions): Promise<void> {
  await withDisco(options, async (disco, master) => {
    const known = await disco.joblist();
    const all = known.filter(chosen(words, options.status));
    all.sort((a, b) => b.submittedAt - a.submittedAt);
    const infos = await infosOf(disco, options.limit === 0 ? all : all.slice(0, options.limit));
    if (options.json === true) return printJson(infos.map(listed));
    const { otherJobs } = await import("./other-store.ts");
    const others = options.status === undefined ? await otherJobs(master, known, chosen(words, undefined)) : null;
    if (infos.length === 0) {
      const isOfAll = words.length === 0 && options.status === undefined;
      if (!isOfAll || others === null) process.stderr.write(`no jobs${isOfAll ? " yet" : " of this kind"}\n`);
    } else {
      const rows = infos.map((info) => rowOf(info));
      printLines(formatColumns(columns, rows, widthOf(process.stdout), lookOf(process.stdout)));
    }
    if (infos.length < all.length) {
      process.stderr.write(`and ${formatCount(all.length - infos.length)} older ones (--limit 0 shows all)\n`);
    }
    if (others !== null) process.stderr.write(`${others}\n`);
  });
}

function chosen(
  words: readonly string[],
  status: JobStatus | undefined,
): (job: Pick<JobListEntry, "name"> & Partial<JobListEntry>) => boolean {
  const patterns = words.map((word) => patternOf(isPattern(word) ? word : `${word}*`));
  return (job) =>
    (status === undefined || job.status === status) &&
    (patterns.length === 0 || patterns.some((one) => one.test(job.name)));
}

/** In the order of the list; jobs that are forgotten meanwhile are left out. */
async function infosOf(disco: Disco, jobs: readonly JobListEntry[]): Promise<JobInfo[]> {
  const infos: (JobInfo | null)[] = [];
  let next = 0;
  const ask = async (): Promise<void> => {
    for (let at = next++; at < jobs.length; at = next++)
      infos[at] = await infoOf(disco, (jobs[at] as JobListEntry).name);
  };
  await Promise.all(Array.from({ length: questionsMax }, ask));
  return infos.filter((info) => info !== null);
}

async function infoOf(disco: Disco, name: string): Promise<JobInfo | null> {
  try {
    return await disco.jobinfo(name);
  } catch (error) {
    if (error instanceof DiscoError && error.code === "unknown-job") return null;
    throw error;
  }
}

function listed(info: JobInfo): ListedJob {
  const { name, status, owner, submittedAt, endedAt, reason, stages } = info;
  return {
    name,
    status,
    owner,
    submittedAt,
    endedAt,
    seconds: secondsOf(info),
    tasks: stages.reduce((sum, stage) => sum + stage.tasks, 0),
    done: stages.reduce((sum, stage) => sum + stage.done, 0),
    reason,
  };
}

function rowOf(info: JobInfo): Cell[] {
  const age = formatAge(Date.now() - info.submittedAt);
  return [info.name, statusCell(info.status), progressOf(info), age, formatSeconds(secondsOf(info)), info.owner];
}

/** `map 12/40`: the stage that a job is in, or was in when it died; `47 tasks` when all of them are done. */
function progressOf({ status, stages }: JobInfo): string {
  const tasks = stages.reduce((sum, stage) => sum + stage.tasks, 0);
  if (status === "ready") return `${formatCount(tasks)} ${tasks === 1 ? "task" : "tasks"}`;
  const at = stages.find((stage) => stage.tasks === 0 || stage.done < stage.tasks) ?? stages.at(-1);
  return at === undefined ? "" : `${at.stage} ${formatCount(at.done)}/${at.tasks === 0 ? "?" : formatCount(at.tasks)}`;
}

function secondsOf({ submittedAt, endedAt }: JobInfo): number {
  return Math.max(0, (endedAt ?? Date.now()) - submittedAt) / 1000;
}
