/** A folder of this machine as a job home. */
import { lstat, readdir, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { JobError } from "../../errors.ts";
import { fileFault } from "../file-fault.ts";

const executable = 0o111;
const programMode = 0o755;

/** Its files, by their paths in it, in order. Links to files are the files. @throws JobError `no-such-file`, `bad-jobpack` */
export async function filesOfFolder(folder: string): Promise<Map<string, { readonly path: string }>> {
  const root = resolve(folder);
  const files = new Map<string, { readonly path: string }>();
  for (const path of await pathsIn(root, folder)) {
    const found = await stat(path);
    if (found.isDirectory() && (await lstat(path)).isSymbolicLink()) {
      throw new JobError(`invalid jobhome: ${path} is a link to a folder, which might lead anywhere`, {
        code: "bad-jobpack",
        hint: "Give the files by their paths: { 'lib/a.py': { path } }.",
      });
    }
    if (found.isDirectory()) continue;
    if (!found.isFile()) throw new JobError(`invalid jobhome: ${path} is no file`, { code: "bad-jobpack" });
    files.set(relative(root, path).split(sep).join("/"), { path });
  }
  return files;
}

async function pathsIn(root: string, folder: string): Promise<string[]> {
  try {
    const names = await readdir(root, { recursive: true });
    return names.sort().map((name) => join(root, name));
  } catch (cause) {
    throw new JobError(`invalid jobhome: the folder ${folder} cannot be read: ${fileFault(cause)}`, {
      code: "no-such-file",
      cause,
      hint: `It was looked for at ${root}.`,
    });
  }
}

/** Permissions in the job home of a file that is to be executable there, `undefined` of any other. */
export async function modeOf(path: string): Promise<number | undefined> {
  const { mode } = await stat(path);
  return (mode & executable) === 0 ? undefined : programMode;
}
