/** `disco wait NAME…`: the bars of jobs that run, until all of them have ended. */
import type { Disco } from "../../client/disco.ts";
import type { JobInfo } from "../../client/master-api.ts";
import { DiscoError, JobError } from "../../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatError } from "../print/error-report.ts";
import { reportJob, summarizeJob } from "../print/job-report.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { openDisplay } from "../progress/display.ts";
import { lookOf } from "../progress/look.ts";
import { eventFormat } from "../run/event-format.ts";
import { FollowedJob } from "../run/followed-job.ts";
import { Outages, printToStderr } from "../run/outages.ts";
import { WaitNotice } from "../run/wait-notice.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

export interface WaitOptions extends StoreOptions {
  /** Seconds for all of them together. */
  readonly timeout?: number;
  readonly quiet?: boolean;
}

/** Returns the exit code: 1 when one of the jobs is dead, or the time is up. */
export async function waitForJobs(words: readonly string[], options: WaitOptions): Promise<number> {
  return withDisco(options, async (disco) => {
    const names = new Set<string>();
    for (const word of words) names.add(await resolveName(disco, word));
    const { infos, late } = await follow(disco, [...names], options);
    if (options.json === true) printJson(infos.map(reportJob));
    else report(infos);
    if (late) throw timedOut(infos, options.timeout as number);
    for (const { status, name } of infos) if (status === "dead") await showDeath(disco, name);
    return infos.some(({ status }) => status === "dead") ? exitCodes.failed : exitCodes.ok;
  });
}

async function follow(
  disco: Disco,
  names: readonly string[],
  { quiet, timeout }: WaitOptions,
): Promise<{ infos: JobInfo[]; late: boolean }> {
  const master = await disco.master();
  const display = openDisplay(quiet === true ? "none" : "auto");
  const formatOf = quiet === true ? () => null : eventFormat(false);
  const notices = names.map(() => new WaitNotice(printToStderr));
  const outages = new Outages(printToStderr);
  const stop = new AbortController();
  const timer = timeout === undefined ? null : setTimeout(() => stop.abort(), timeout * 1000);
  try {
    // An unknown name among them is an error before anything is waited for.
    const found: JobInfo[] = [];
    for (const name of names) found.push(await master.jobInfo(name));
    const watch = (name: string, at: number): FollowedJob =>
      new FollowedJob(
        master,
        name,
        {
          update: (info) => {
            display.update(info);
            notices[at]?.update(info);
          },
          event: (event, offset) => {
            const line = formatOf(event, offset);
            if (line !== null) printToStderr(line);
          },
        },
        stop.signal,
      );
    // Of a job that has ended there is nothing to watch.
    const jobs = found.map(({ name, status }, at) => (status === "active" ? watch(name, at) : null));
    await Promise.all(jobs.flatMap((job) => (job === null ? [] : [job.ended])));
    const left = jobs.filter((job) => job?.active === true);
    const lost = left.find((job) => job !== null && job.lost !== null)?.lost ?? null;
    if (lost !== null && !stop.signal.aborted) throw lost;
    return { infos: found.map((info, at) => jobs[at]?.info ?? info), late: left.length > 0 };
  } finally {
    if (timer !== null) clearTimeout(timer);
    display.close();
    outages.close();
    for (const notice of notices) notice.close();
  }
}

function report(infos: readonly JobInfo[]): void {
  printLines(infos.map((info) => `${info.name}: ${info.status}, ${summarizeJob(info)}`));
}

function timedOut(infos: readonly JobInfo[], seconds: number): JobError {
  const active = infos.filter(({ status }) => status === "active");
  const waits = active.flatMap((info) => info.waits.map((why) => `${info.name} waits: ${why}`));
  return new JobError([`not all jobs have ended in ${seconds} s; they go on`, ...waits].join("\n"), {
    code: "timeout",
    hint: `\`disco wait ${active.map(({ name }) => name).join(" ")}\` waits again.`,
  });
}

/** The same words, with the same lines of source, as where the job was started. */
async function showDeath(disco: Disco, name: string): Promise<void> {
  try {
    await disco.results(name, { timeout: 0 });
  } catch (error) {
    if (!(error instanceof DiscoError)) throw error;
    process.stderr.write(`${formatError(error, lookOf(process.stderr))}\n`);
  }
}
