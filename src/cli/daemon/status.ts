/** `disco status`: whether a daemon runs on the root, and how it is. Exit status as the Linux Standard Base has it: 0 or 3. */
import { resolveClientSettings } from "../../settings/client.ts";
import type { DaemonRecord } from "../../settings/daemon-settings.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatAge, localTime } from "../print/local-time.ts";
import { lookOf } from "../progress/look.ts";
import { formatBytes, formatCount } from "../progress/quantity.ts";
import { logFileOf } from "./log-file.ts";
import { type MasterReport, masterReport } from "./master-report.ts";
import { details, type OutputOptions, print } from "./output.ts";
import { type DaemonState, daemonState } from "./running.ts";

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
    print(options, { running: false, root, pid, problem }, [
      `No daemon ${state.kind === "silent" ? "answers" : "runs"} on ${root}${problem === null ? "." : `: ${problem}`}`,
      ...(state.kind === "silent" ? [] : details([["disco start", "start one"]])),
    ]);
    return exitCodes.unreachable;
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
  const look = lookOf(process.stdout);
  const since = `${localTime(startedAt)}, ${formatAge(Date.now() - startedAt)} ago`;
  const rows: [string, string][] = [
    ["url", url],
    ["since", since],
    ["version", version],
    ["root", root],
    ["log", logFileOf(root)],
  ];
  const alarms: string[] = [];
  if (report.kind === "unknown") {
    rows.push(["jobs", look.paint("yellow", `unknown: ${report.why}`)]);
  } else {
    const { info, nodes } = report;
    const { active, ready, dead } = info.jobs;
    rows.push(["jobs", `${formatCount(active)} active, ${formatCount(ready)} ready, ${formatCount(dead)} dead`]);
    const { role, leader, ageMs = 0, journal } = info;
    if (role !== undefined) {
      const who = role === "leads" ? "this master leads" : leader == null ? "no master leads" : `${leader} leads`;
      rows.push(["leader", role === "leads" ? who : `${who}; what follows is ${ageMs} ms old`]);
      rows.push(["journal", `${journal.engine}, ${journal.durable}, ${formatCount(journal.replicas ?? 1)} replicas`]);
    }
    for (const node of nodes) {
      const known = node.state === "up" || node.state === undefined ? "" : `, ${node.state}`;
      const state = node.blacklisted ? ", blacklisted" : node.connected ? known : ", not connected";
      const busy = `${formatCount(node.tasks.length)} of ${formatCount(node.slots)} slots busy${state}`;
      rows.push([`node ${node.name}`, `${busy}, ${formatBytes(node.diskFreeBytes)} free on its disk`]);
    }
    for (const { message, hint } of info.alarms) {
      alarms.push(`${look.paint(["bold", "red"], "alarm:")} ${message}`, `${look.paint("cyan", "hint:")} ${hint}`);
    }
    if (info.readOnly && info.alarms.length === 0) alarms.push(look.paint("red", "The master is read-only."));
  }
  return [`The daemon runs, with process id ${pid}.`, ...details(rows), ...alarms];
}
