/** Where an embedded engine keeps its things when nobody says: `$DISCO_ROOT`, `$XDG_DATA_HOME/disco`, `~/.local/share/disco`. */
import { mkdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { DiscoError } from "../errors.ts";
import { privateDirectoryMode } from "../node/private-modes.ts";

/** Of directories above the root. */
const usualMode = 0o777;

export function rootDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const { DISCO_ROOT, XDG_DATA_HOME } = env;
  if (DISCO_ROOT) return resolve(DISCO_ROOT);
  if (XDG_DATA_HOME) return resolve(XDG_DATA_HOME, "disco");
  return join(homedir(), ".local", "share", "disco");
}

/**
 * Creates the root and its data directory, for their user only, and returns the latter. A root that is there already keeps its
 * mode: whoever made it may want to share it. @throws DiscoError `bad-root`
 */
export async function openRoot(root: string): Promise<string> {
  const dataDir = join(root, "data");
  try {
    await makeDirectory(root, privateDirectoryMode);
    await makeDirectory(dataDir, privateDirectoryMode);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DiscoError(`the root directory ${root} cannot be used: ${why}`, {
      code: "bad-root",
      cause,
      hint: "Choose another directory: DISCO_ROOT, --root of the commands, or new Disco(undefined, { root }).",
    });
  }
  return dataDir;
}

/**
 * Level by level: on a file system that refuses every name (`/proc`), a recursive `mkdir` of Node never returns. Several
 * engines may do this at once: a directory that is there meanwhile is as good.
 */
async function makeDirectory(path: string, mode: number, isAboveThere = false): Promise<void> {
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
