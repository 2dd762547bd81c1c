/**
 * Ends what an external program started and left behind. The program runs in the worker's process group, so that whatever kills the
 * worker kills it too; the group can therefore not be used to end the program alone. Instead it gets a mark in its environment, which
 * its children inherit even if they leave group and session: whoever has it when the program has ended is killed.
 *
 * Only where there is a /proc. Elsewhere what is left behind ends with the worker's group, at the end of the job at the latest.
 */
import { readdirSync, readFileSync } from "node:fs";

/** The variable that marks a program and its children. */
export const markName = "DISCO_EXTERNAL";

/** SIGKILL to all processes with this mark; returns how many there were. Costs a look at each process of the system. */
export function killMarked(mark: string): number {
  const wanted = Buffer.from(`${markName}=${mark}\0`);
  let killed = 0;
  // One that was just forked by another may be missed by the first look.
  for (let found = true, looks = 0; found && looks < looksMax; looks++) {
    found = false;
    for (const pid of processes()) {
      if (!hasMark(pid, wanted) || !kill(pid)) continue;
      found = true;
      killed++;
    }
  }
  return killed;
}

const looksMax = 3;

function processes(): number[] {
  try {
    return readdirSync("/proc").flatMap((name) => {
      const pid = Number(name);
      return Number.isInteger(pid) && pid !== process.pid ? [pid] : [];
    });
  } catch {
    return [];
  }
}

function hasMark(pid: number, wanted: Buffer): boolean {
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
