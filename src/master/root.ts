/** Opens the root directory of an engine. */
import { join } from "node:path";
import { DiscoError } from "../errors.ts";
import { privateDirectoryMode } from "../node/private-modes.ts";
import { makeDirectory } from "../root-directory.ts";

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
