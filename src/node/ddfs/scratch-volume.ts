/**
 * A volume for an engine that leaves nothing behind: its tags are in memory, and its blobs go with it. Several such engines may share a
 * data directory, also in one process, so that each takes a number that nobody has; those of processes that are dead are removed.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DiscoError } from "../../errors.ts";
import { privateDirectoryMode, privateFileMode } from "../private-modes.ts";

/** Numbers below are given to volumes that last. */
const numberMin = 2_000;
const numberMax = 9_999;
const ownerFile = "owner";

/** Makes one below the directory; returns its name. @throws DiscoError `no-volume` */
export async function takeScratchVolume(ddfs: string): Promise<string> {
  await mkdir(ddfs, { recursive: true, mode: privateDirectoryMode });
  for (const name of await readdir(ddfs)) if (isScratch(name)) await removeIfDead(join(ddfs, name));
  for (let number = numberMin; number <= numberMax; number++) {
    const name = `vol${number}`;
    try {
      await mkdir(join(ddfs, name), { mode: privateDirectoryMode });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
      throw error;
    }
    await writeFile(join(ddfs, name, ownerFile), String(process.pid), { mode: privateFileMode });
    return name;
  }
  throw new DiscoError(`${numberMax - numberMin + 1} engines use ${ddfs} already`, { code: "no-volume" });
}

function isScratch(name: string): boolean {
  const number = Number(/^vol(\d{4})$/.exec(name)?.[1]);
  return number >= numberMin;
}

/** One whose owner is not known yet is being made. */
async function removeIfDead(directory: string): Promise<void> {
  const owner = Number(await readFile(join(directory, ownerFile), "utf8").catch(() => ""));
  if (!(owner > 0) || isAlive(owner)) return;
  await rm(directory, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
