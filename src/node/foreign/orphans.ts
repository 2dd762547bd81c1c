/**
 * Programs of jobs that outlived their node: it was killed without a word, and they compute on until they want to say something. They
 * are ended before the first program of the node's next life begins, as both may write into the same job home.
 *
 * They are known by a variable in their environment, which all that they start inherits; it names the node's data directory, which no
 * two nodes share. Where the system does not show environments (`/proc`), they are left to themselves.
 */
import { readdir, readFile } from "node:fs/promises";
import { resolve } from "node:path";

const variable = "DISCO_WORKER_OF";
/** Environments that are read at once. */
const atOnce = 32;
/** One that starts others faster than they are ended is not ended by us. */
const passesMax = 10;

/** What each program of a node has in its environment. */
export function nodeMark(dataDir: string): Readonly<Record<string, string>> {
  return { [variable]: resolve(dataDir) };
}

/** Ends them all; returns how many there were. To be called while the node has no programs. */
export async function endOrphans(dataDir: string): Promise<number> {
  const mark = `${variable}=${resolve(dataDir)}`;
  let all = 0;
  // Again, as long as there were any: one may have started another while we looked.
  for (let pass = 0; pass < passesMax; pass++) {
    const ended = await endMarked(mark);
    if (ended === 0) break;
    all += ended;
  }
  return all;
}

async function endMarked(mark: string): Promise<number> {
  const names = await readdir("/proc").catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  let ended = 0;
  for (let from = 0; from < pids.length; from += atOnce) {
    const some = pids.slice(from, from + atOnce);
    const marked = await Promise.all(some.map((pid) => hasInEnvironment(pid, mark)));
    for (const [i, pid] of some.entries()) if (marked[i] === true && kill(Number(pid))) ended++;
  }
  return ended;
}

async function hasInEnvironment(pid: string, entry: string): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0").includes(entry);
  } catch {
    // It is gone, or another user's.
    return false;
  }
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}
