/** Where an embedded engine keeps its things when nobody says: `$DISCO_ROOT`, `$XDG_DATA_HOME/disco`, `~/.local/share/disco`. */
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { DiscoError } from "../errors.ts";

export function rootDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const { DISCO_ROOT, XDG_DATA_HOME } = env;
  if (DISCO_ROOT) return resolve(DISCO_ROOT);
  if (XDG_DATA_HOME) return resolve(XDG_DATA_HOME, "disco");
  return join(homedir(), ".local", "share", "disco");
}

/** Creates the root and its data directory, and returns the latter. @throws DiscoError `bad-root` */
export async function openRoot(root: string): Promise<string> {
  const dataDir = join(root, "data");
  try {
    await mkdir(dataDir, { recursive: true });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DiscoError(`the root directory ${root} cannot be used: ${why}`, {
      code: "bad-root",
      cause,
      hint: "Choose another directory by DISCO_ROOT or new Disco(undefined, { root }).",
    });
  }
  return dataDir;
}
