/** `disco jobs` and `disco job NAME`. */
import { reportJob, summarizeJob } from "../print/job-report.ts";
import { formatCount } from "../progress/quantity.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

export async function listJobs(options: StoreOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    const jobs = (await disco.joblist()).sort((a, b) => b.submittedAt - a.submittedAt);
    if (options.json === true) {
      process.stdout.write(`${JSON.stringify(jobs, null, 2)}\n`);
      return;
    }
    const width = Math.max(0, ...jobs.map(({ name }) => name.length));
    for (const { name, status, submittedAt } of jobs) {
      const info = await disco.jobinfo(name);
      const what = info.reason ?? summarizeJob(info);
      process.stdout.write(`${name.padEnd(width)}  ${status.padEnd(6)}  ${localTime(submittedAt)}  ${what}\n`);
    }
  });
}

export async function showJob(name: string, options: StoreOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    const info = await disco.jobinfo(await resolveName(disco, name));
    if (options.json === true) {
      process.stdout.write(`${JSON.stringify(reportJob(info), null, 2)}\n`);
      return;
    }
    const lines = [
      `${info.name}: ${info.status}`,
      `  submitted ${localTime(info.submittedAt)}`,
      `  ${summarizeJob(info)}`,
      ...info.stages.map(({ stage, tasks, done, failed }) => {
        return `  ${stage}: ${formatCount(done)}/${formatCount(tasks)} tasks, ${formatCount(failed)} failed attempts`;
      }),
      ...(info.reason === null ? [] : [`  reason: ${info.reason}`]),
      ...(info.failure?.frame === undefined ? [] : ["", info.failure.frame, ""]),
      ...info.results.map((url) => `  ${url}`),
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
  });
}

/** `2026-11-23 14:05:09`, in the time zone of who reads it. */
function localTime(at: number): string {
  return new Date(at).toLocaleString("sv-SE");
}
