/** Peak resident memory of a process, where the system tells it. */
import { readFileSync } from "node:fs";

/** Bytes, from `/proc/PID/status` (`VmHWM`); `null` where there is no `/proc` or no such process. */
export function peakRssOf(pid: number): number | null {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    return match === null ? null : Number(match[1]) * 1024;
  } catch {
    return null;
  }
}
