/**
 * Ends what an external program started and left behind. The program runs in the worker's process group, so that whatever kills the
 * worker kills it too; the group can therefore not be used to end the program alone. Instead it gets a mark in its environment, which
 * its children inherit even if they leave group and session: whoever has it when the program has ended is killed.
 *
 * Looking at all processes of a system takes milliseconds, as long as a small task. Process ids ascend until they begin again from below,
 * so that children of a program that lived shortly have ids between its own and the last that was given away: mostly none.
 *
 * Only where there is a /proc. Elsewhere what is left behind ends with the worker's group, at the end of the job at the latest.
 */
import { readdirSync, readFileSync } from "node:fs";

/** The variable that marks a program and its children. */
export const markName = "DISCO_EXTERNAL";

/** So many ids are looked at one by one, without a list of all processes. */
const probesMax = 200;
/** One that was just being forked by another may be missed by the first look. */
const looksMax = 3;

/**
 * SIGKILL to all processes with this mark; returns how many there were.
 * @param since only those that were started after this process, so recently that ids have not come round again; `null`: all
 */
export function killMarked(mark: string, since: number | null): number {
  const wanted = Buffer.from(`${markName}=${mark}\0`);
  let killed = 0;
  for (let found = true, looks = 0; found && looks < looksMax; looks++) {
    found = false;
    for (const pid of startedAfter(since)) {
      if (!hasMark(pid, wanted) || !kill(pid)) continue;
      found = true;
      killed++;
    }
  }
  return killed;
}

/** Ids that processes started after this one may have. */
function startedAfter(since: number | null): number[] {
  const last = since === null ? null : lastId();
  if (since === null || last === null) return processes();
  if (last >= since && last - since <= probesMax) return Array.from({ length: last - since }, (_, i) => since + 1 + i);
  return processes().filter((pid) => (last >= since ? pid > since && pid <= last : pid > since || pid <= last));
}

/** The id that was given away last. */
function lastId(): number | null {
  try {
    const last = Number(readFileSync("/proc/loadavg", "utf8").trim().split(" ").at(-1));
    return Number.isInteger(last) ? last : null;
  } catch {
    return null;
  }
}

function processes(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function hasMark(pid: number, wanted: Buffer): boolean {
  if (pid === process.pid) return false;
  try {
    // Of one that has ended and waits for its parent nothing is left to read.
    return readFileSync(`/proc/${pid}/environ`).includes(wanted);
  } catch {
    // Gone, or somebody else's.
    return false;
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
