/** The root has to be there before the daemon is: its log lies there. Made here, it is for its user only. */
import { access, constants } from "node:fs/promises";
import { DiscoError } from "../../errors.ts";
import { makeDirectory } from "../../root-directory.ts";

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
