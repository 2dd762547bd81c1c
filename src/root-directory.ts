/** The root: the directory in which an engine keeps journal, jobs and results. Where it is when nobody says, and how it is made. */
import { mkdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Of directories above the root. */
const usualMode = 0o777;

/** Absolute path of a root: the one that is given, else `DISCO_ROOT`, else `defaultRoot`. */
export function rootDirectory(given?: string, env: Readonly<NodeJS.ProcessEnv> = process.env): string {
  const root = given || env["DISCO_ROOT"];
  return root ? resolve(root) : defaultRoot(env);
}

/** The place for a user's data: `$XDG_DATA_HOME/disco`, else `~/.local/share/disco`. */
export function defaultRoot({ XDG_DATA_HOME }: Readonly<NodeJS.ProcessEnv>): string {
  return XDG_DATA_HOME ? resolve(XDG_DATA_HOME, "disco") : join(homedir(), ".local", "share", "disco");
}

/**
 * Level by level: on a file system that refuses every name (`/proc`), a recursive `mkdir` of Node never returns. Several
 * engines may do this at once: a directory that is there meanwhile is as good, and keeps its mode.
 */
export async function makeDirectory(path: string, mode: number, isAboveThere = false): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    const above = dirname(path);
    if (code !== "ENOENT" || isAboveThere || above === path) throw error;
    await makeDirectory(above, usualMode);
    await makeDirectory(path, mode, true);
  }
}
