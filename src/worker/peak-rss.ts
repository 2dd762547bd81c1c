import { readFileSync } from "node:fs";

/** Tiny tasks come thousands a second; asking the system each time would be a tenth of their cost. */
const rssIntervalMs = 50;
let rssAt = Number.NEGATIVE_INFINITY;
let rssBytes = 0;

/** Peak resident memory of this process, in bytes. */
export function peakRss(): number {
  const now = performance.now();
  if (now - rssAt >= rssIntervalMs) {
    rssAt = now;
    rssBytes = highWaterMark() ?? process.resourceUsage().maxRSS * 1024;
  }
  return rssBytes;
}

/**
 * Linux hands `maxRSS` on to a process's children: a worker that a program of 2 GB starts would be told to have had 2 GB itself.
 * `null`: not Linux.
 */
function highWaterMark(): number | null {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch {
    return null;
  }
}
