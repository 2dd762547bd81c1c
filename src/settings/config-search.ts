/**
 * Which `disco.toml` counts: one file, the first that there is. The one that was named; the one in the working directory or the
 * nearest directory above it; in the root; in the user's own configuration. Files are not merged: one look shows what holds.
 *
 * On its own, because most scripts have none, and then nothing else about settings is loaded.
 */
import { statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

export const configFileName = "disco.toml";
/** Instead of a file's name: no file is read. */
export const noConfigFile = "none";

export interface ConfigSearch {
  /** What `--config` says, if anything. */
  readonly flag: string | undefined;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly cwd: string;
  readonly root: string;
}

export interface FoundConfigFile {
  /** Absolute path. */
  readonly file: string;
  /** By `--config` or `DISCO_CONFIG`: then it need not exist. */
  readonly isNamed: boolean;
}

export function findConfigFile({ flag, env, cwd, root }: ConfigSearch): FoundConfigFile | null {
  const named = flag || env["DISCO_CONFIG"];
  if (named === noConfigFile) return null;
  if (named) return { file: resolve(cwd, named), isNamed: true };
  for (const file of places(env, cwd, root)) {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return { file, isNamed: false };
  }
  return null;
}

function* places(env: Readonly<NodeJS.ProcessEnv>, cwd: string, root: string): Generator<string> {
  for (let directory = cwd; ; directory = dirname(directory)) {
    yield join(directory, configFileName);
    if (directory === dirname(directory)) break;
  }
  yield join(root, configFileName);
  const configHome = env["XDG_CONFIG_HOME"] || join(homedir(), ".config");
  yield join(configHome, "disco", configFileName);
}
