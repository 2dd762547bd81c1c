/** Processes of this machine, by their ids. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const pollMs = 20;
const psTimeoutMs = 2000;

/** There is such a process, and it has not ended: one that nobody has waited for yet does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    // The name, in brackets, may hold anything; the state follows it.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(")") + 1));
  } catch (error) {
    // It ended between the two looks, or this system has no /proc.
    return (error as NodeJS.ErrnoException).code !== "ENOENT" || process.platform !== "linux";
  }
}

/** Waits until it has ended; `false`: it has not, after so long. */
export async function ended(pid: number, timeoutMs: number): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  while (isAlive(pid)) {
    if (performance.now() >= until) return false;
    await sleep(pollMs);
  }
  return true;
}

/** Paths of what it has open; `null`: nobody tells, as for processes of other users and on other systems than Linux. */
export function openFilesOf(pid: number): string[] | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        // Closed meanwhile.
        return [];
      }
    });
  } catch {
    return null;
  }
}

/** What it was started with, as one line; empty: nobody knows. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    try {
      const args = ["-o", "args=", "-p", String(pid)];
      const stdio = ["ignore" as const, "pipe" as const, "ignore" as const];
      return execFileSync("ps", args, { encoding: "utf8", timeout: psTimeoutMs, stdio }).trim();
    } catch {
      return "";
    }
  }
}
