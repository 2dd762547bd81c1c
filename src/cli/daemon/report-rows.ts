/** How a master is, for people: rows of a name and a value, and the alarms below them. */
import { lookOf } from "../progress/look.ts";
import { formatBytes, formatCount } from "../progress/quantity.ts";
import type { MasterReport } from "./master-report.ts";

export interface ReportRows {
  readonly rows: readonly (readonly [name: string, value: string])[];
  readonly alarms: readonly string[];
}

export function rowsOfReport(report: MasterReport): ReportRows {
  const look = lookOf(process.stdout);
  if (report.kind === "unknown") {
    return { rows: [["jobs", look.paint("yellow", `unknown: ${report.why}`)]], alarms: [] };
  }
  const { info, nodes } = report;
  const { active, ready, dead } = info.jobs;
  const rows: [string, string][] = [];
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
  const alarms = info.alarms.flatMap(({ message, hint }) => [
    `${look.paint(["bold", "red"], "alarm:")} ${message}`,
    `${look.paint("cyan", "hint:")} ${hint}`,
  ]);
  if (info.readOnly && info.alarms.length === 0) alarms.push(look.paint("red", "The master is read-only."));
  return { rows, alarms };
}
