/** What a person sees at the end: the first results as a table, how long it took, and where the results lie. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { JobInfo } from "../../client/master-api.ts";
import { resultIterator } from "../../client/result-iterator.ts";
import { summarizeJob } from "../print/job-report.ts";
import { ownCommand } from "../print/own-command.ts";
import { formatTable } from "../print/table.ts";
import { formatCount, formatSeconds } from "../progress/quantity.ts";
import type { Session } from "./session.ts";

export async function showResults(
  session: Session,
  results: string[] | null,
  head: number,
  written?: string,
): Promise<void> {
  const jobs = session.infos();
  const lines: string[] = [];
  if (results !== null && head > 0) {
    const rows = await firstRecords(results, head);
    lines.push(...formatTable(rows, process.stdout.columns ?? 120));
    const rest = recordsOf(jobs, results) - rows.length;
    if (rest > 0) lines.push(`  … ${formatCount(rest)} more`);
    lines.push("");
  }
  lines.push(...summaries(jobs));
  if (written !== undefined) lines.push(`written: ${written}`);
  const kept = session.jobs.findLast(({ info, purged }) => !purged && (info?.results.length ?? 0) > 0)?.info ?? null;
  if (kept !== null) {
    const folder = folderOf(kept.results[0] ?? "", session.dataDirectory);
    if (folder !== null) lines.push(`results: ${folder}`);
    const command = ownCommand();
    lines.push(`  ${command} cat ${kept.name}    prints them`, `  ${command} purge ${kept.name}  deletes them`);
  }
  if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
}

/** `dir://HOST/disco/NODE/hh/JOB/…` lies in DATA/NODE/hh/JOB, when that node is on this machine and has this root. */
function folderOf(address: string, dataDirectory: string): string | null {
  const job = /^dir:\/\/[^/]+\/disco\/([^/]+\/[^/]+\/[^/]+)\//.exec(address);
  if (job?.[1] === undefined) return null;
  const folder = join(dataDirectory, job[1]);
  return existsSync(folder) ? folder : null;
}

async function firstRecords(results: string[], count: number): Promise<[unknown, unknown][]> {
  const rows: [unknown, unknown][] = [];
  for await (const [key, value] of resultIterator(results)) {
    rows.push([key, value]);
    if (rows.length >= count) break;
  }
  return rows;
}

/** How many records lie behind the results, as far as a job of this run made them. */
function recordsOf(jobs: readonly JobInfo[], results: readonly string[]): number {
  const job = jobs.find((info) => info.results.length > 0 && info.results[0] === results[0]);
  return job?.stages.at(-1)?.recordsOut ?? 0;
}

function summaries(jobs: readonly JobInfo[]): string[] {
  const [first] = jobs;
  if (first === undefined) return [];
  if (jobs.length === 1) return [`${first.name}: ${summarizeJob(first)}`];
  const ended = Math.max(...jobs.map((info) => info.endedAt ?? info.submittedAt));
  return [`${jobs.length} jobs: ${formatSeconds((ended - first.submittedAt) / 1000)}`];
}
