/** `disco job NAME`: one job, and with `--tasks` each of its tasks. */
import type { Disco } from "../../client/disco.ts";
import type { TaskInfo, TaskStatus } from "../../client/master-api.ts";
import { widthOf } from "../print/columns.ts";
import { formatJobPage, taskLines } from "../print/job-page.ts";
import { reportJob } from "../print/job-report.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { lookOf } from "../progress/look.ts";
import { formatCount } from "../progress/quantity.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

export interface JobPageOptions extends StoreOptions {
  readonly tasks?: boolean;
  readonly stage?: string;
  readonly status?: TaskStatus;
  /** Tasks to list; 0: all. */
  readonly limit: number;
}

/** Tasks of each status on the page of a job that runs. */
const tasksShownMax = 10;
const pageTasksMax = 1000;

export async function showJob(word: string, options: JobPageOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    const name = await resolveName(disco, word);
    if (options.tasks === true) return await showTasks(disco, name, options);
    const info = await disco.jobinfo(name);
    const shown = info.status === "active" ? await tasksWorthALook(disco, name) : [];
    if (options.json === true) {
      const { owner, waits, hosts, failure } = info;
      return printJson({ ...reportJob(info), owner, waits, hosts, failure, tasks: shown });
    }
    printLines(formatJobPage(info, shown, widthOf(process.stdout), lookOf(process.stdout)));
  });
}

async function showTasks(disco: Disco, name: string, options: JobPageOptions): Promise<void> {
  const { stage, status, limit } = options;
  const master = await disco.master();
  const tasks: TaskInfo[] = [];
  let total = 0;
  for (let offset: number | null = 0; offset !== null; ) {
    const left = limit === 0 ? pageTasksMax : Math.min(pageTasksMax, limit - tasks.length);
    const page = await master.tasks(name, {
      offset,
      limit: left,
      ...(stage === undefined ? {} : { stage }),
      ...(status === undefined ? {} : { status }),
    });
    tasks.push(...page.tasks);
    total = page.total;
    offset = limit !== 0 && tasks.length >= limit ? null : page.next;
  }
  if (options.json === true) return printJson(tasks);
  if (tasks.length === 0)
    process.stderr.write(`${name} has no tasks of this kind now: its tasks are known while it is active\n`);
  else printLines(taskLines(tasks, widthOf(process.stdout), lookOf(process.stdout)));
  if (tasks.length < total) {
    process.stderr.write(`and ${formatCount(total - tasks.length)} more tasks (--limit 0 shows all)\n`);
  }
}

async function tasksWorthALook(disco: Disco, name: string): Promise<TaskInfo[]> {
  const master = await disco.master();
  const lists = await Promise.all(
    (["running", "sleeping"] as const).map(async (status) => {
      const { tasks } = await master.tasks(name, { status, limit: tasksShownMax });
      return tasks;
    }),
  );
  return lists.flat();
}
