/** What this machine and its administrator allow a process: open files, processes, memory; and its clock. */
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { formatBytes, formatCount } from "../../progress/quantity.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

/** Connections, results that are being read, and what each worker has open. */
const openFilesMin = 4096;
const processesMin = 512;
/** A worker process without data. */
const workerBytesMin = 128 * 2 ** 20;
/** Before this software was written. */
const clockMin = Date.UTC(2025, 0);
const driftMsMax = 1000;

export function checkLimits(workers: number): Finding[] {
  return [...checkProcessLimits(), checkMemory(workers), checkClock()];
}

function checkProcessLimits(): Finding[] {
  let table: string;
  try {
    table = readFileSync("/proc/self/limits", "utf8");
  } catch {
    // Not Linux.
    return [];
  }
  const limit = (name: string): number => {
    const soft = new RegExp(`^${name}\\s+(\\S+)`, "m").exec(table)?.[1];
    return soft === undefined || soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
  };
  const row = (check: string, name: string, min: number, option: string): Finding => {
    const value = limit(name);
    const text = `${name.replace("Max ", "")}: ${Number.isFinite(value) ? formatCount(value) : "unlimited"} allowed`;
    return value < min
      ? warn(check, text, `Raise it (ulimit ${option} ${min}, or ${unitOf(option)} of a systemd unit).`)
      : ok(check, text);
  };
  return [
    row("open-files", "Max open files", openFilesMin, "-n"),
    row("processes", "Max processes", processesMin, "-u"),
  ];
}

function unitOf(option: string): string {
  return option === "-n" ? "LimitNOFILE" : "LimitNPROC";
}

function checkMemory(workers: number): Finding {
  const limit = process.constrainedMemory();
  const isLimited = limit > 0 && limit < totalmem();
  const bytes = isLimited ? limit : totalmem();
  const text = `${formatBytes(bytes)} of memory${isLimited ? ", as this process's group may have," : ""} for ${workers} ${workers === 1 ? "worker" : "workers"}`;
  return bytes / (workers + 1) < workerBytesMin
    ? warn("memory", text, "Start fewer with --workers, or give jobs a smaller memoryLimit.")
    : ok("memory", text);
}

/** What this process has seen of the clock: it is set, and it runs like the one that cannot be set. */
function checkClock(): Finding {
  const now = Date.now();
  const driftMs = Math.abs(performance.timeOrigin + performance.now() - now);
  const shown = new Date(now).toISOString();
  if (now < clockMin)
    return fail("clock", `the clock says ${shown}`, "Set it: names of jobs and times of events come from it.");
  if (driftMs > driftMsMax)
    return warn("clock", `the clock was set just now, by ${Math.round(driftMs)} ms`, "Keep it in step with NTP.");
  return ok("clock", `the clock says ${shown}`);
}
