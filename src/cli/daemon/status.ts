/**
 * `disco status`: whether a daemon runs on the root, and how it is; without one, how the masters are that are set. Exit status as the
 * Linux Standard Base has it: 0 or 3.
 */
import { resolveClientSettings } from "../../settings/client.ts";
import type { DaemonRecord } from "../../settings/daemon-settings.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatAge, localTime } from "../print/local-time.ts";
import { logFileOf } from "./log-file.ts";
import { type MasterReport, masterReport } from "./master-report.ts";
import { details, type OutputOptions, print } from "./output.ts";
import { rowsOfReport } from "./report-rows.ts";
import { type DaemonState, daemonState } from "./running.ts";
import { documentOfMasters, linesOfMasters, setMasters } from "./set-masters.ts";

export interface StatusOptions extends OutputOptions {
  readonly root?: string;
  readonly config?: string;
}

export async function status(options: StatusOptions): Promise<number> {
  const { json: _, ...flags } = options;
  const client = resolveClientSettings({ flags });
  const { root } = client.settings;
  const state = await daemonState(root);
  if (state.kind !== "running") {
    const problem = problemOf(state);
    const pid = state.kind === "silent" ? state.record.pid : null;
    const masters = await setMasters(client);
    const hint = state.kind === "silent" || masters.length > 0 ? [] : details([["disco start", "start one"]]);
    print(options, { running: false, root, pid, problem, ...documentOfMasters(masters) }, [
      `No daemon ${state.kind === "silent" ? "answers" : "runs"} on ${root}${problem === null ? "." : `: ${problem}`}`,
      ...hint,
      ...linesOfMasters(masters, client.masterFrom),
    ]);
    return masters.some(({ report }) => report.kind === "answer") ? exitCodes.ok : exitCodes.unreachable;
  }
  const report = await masterReport(state.record.url, () => client.token());
  print(options, documentOf(root, state.record, report), linesOf(root, state.record, report));
  return exitCodes.ok;
}

function problemOf(state: Exclude<DaemonState, { kind: "running" }>): string | null {
  switch (state.kind) {
    case "none":
      return null;
    case "stale":
    case "unreadable":
      return `${state.why}. The next start cleans up.`;
    case "silent":
      return `process ${state.record.pid} does not answer at ${state.record.url}. \`disco stop --force\` ends it.`;
  }
}

function documentOf(root: string, record: DaemonRecord, report: MasterReport): Record<string, unknown> {
  const { url, pid, instance, version: masterVersion, startedAt } = record;
  const known = { running: true, url, pid, instance, masterVersion, startedAt, root, log: logFileOf(root) };
  if (report.kind === "unknown") return { ...known, problem: report.why };
  const { jobs, readOnly, alarms, scheduler, journal } = report.info;
  return { ...known, problem: null, jobs, readOnly, alarms, scheduler, journal, nodes: report.nodes };
}

function linesOf(root: string, { pid, url, version, startedAt }: DaemonRecord, report: MasterReport): string[] {
  const since = `${localTime(startedAt)}, ${formatAge(Date.now() - startedAt)} ago`;
  const { rows, alarms } = rowsOfReport(report);
  const own: [string, string][] = [
    ["url", url],
    ["since", since],
    ["version", version],
    ["root", root],
    ["log", logFileOf(root)],
  ];
  return [`The daemon runs, with process id ${pid}.`, ...details([...own, ...rows]), ...alarms];
}
