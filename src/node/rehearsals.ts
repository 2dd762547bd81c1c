/**
 * A spare worker that has rehearsed removes its directory, unless it is killed in the middle; what such ones left is swept when a
 * node starts and when it ends.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { rehearsalDirectory } from "./rehearsal-directory.ts";

/** Removes directories of processes that are gone. */
export async function sweepRehearsals(dataDir: string): Promise<void> {
  const directory = rehearsalDirectory(dataDir);
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    if (/^\d+$/.test(name) && !isAlive(Number(name)))
      await rm(join(directory, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
