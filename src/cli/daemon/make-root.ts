/** The root has to be there before the daemon is: its log lies there. Made here, it is for its user only. */
import { access, constants, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DiscoError } from "../../errors.ts";

/** @throws DiscoError `bad-root` */
export async function makeRoot(root: string): Promise<void> {
  try {
    await makeDirectory(root, 0o700);
    await access(root, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DiscoError(`the root directory ${root} cannot be used: ${why}`, {
      code: "bad-root",
      cause,
      hint: "Choose another directory: --root, DISCO_ROOT, or root in disco.toml.",
    });
  }
}

/** Level by level: on a file system that refuses every name (`/proc`), a recursive `mkdir` of Node never returns. */
async function makeDirectory(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    const above = dirname(path);
    if (code !== "ENOENT" || above === path || (await exists(above))) throw error;
    await makeDirectory(above);
    await mkdir(path, { mode });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
