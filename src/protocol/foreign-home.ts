/**
 * What the files of a job home have to be like for a worker that the job brings along: they are unpacked into the very folder in which
 * Disco keeps the pack and its own records, so that no file may take the place of one of these.
 */
import { posix } from "node:path";
import { JobError } from "../errors.ts";
import { badZip } from "./zip-directory.ts";

/** At the top of a job home, and Disco's: the pack, its records, and the sign that everything is unpacked. */
export const packName = "jobfile";
export const systemName = ".disco";
export const unpackedName = ".jobhome";
const reserved: ReadonlySet<string> = new Set([packName, systemName, unpackedName]);

/**
 * The worker's path below the job home, as the zip has it: Python's library names the path that it was loaded from, which may go down
 * and up again (`disco/bin/../lib/…`), and packs the file without such detours.
 * @throws JobError `bad-jobpack` for a path that leaves the job home, or is none
 */
export function foreignWorkerPath(worker: string): string {
  const path = posix.normalize(worker);
  const isBelow = worker !== "" && !posix.isAbsolute(path) && path !== "." && path !== ".." && !path.startsWith("../");
  if (!isBelow || worker.endsWith("/") || worker.includes("\0")) {
    throw bad(`invalid worker: ${JSON.stringify(worker)} is no path of a file below the job home`);
  }
  return path;
}

/**
 * Checks that a job home of these files can be unpacked on any node, and has the worker.
 * @throws JobError `bad-jobpack`
 */
export function checkForeignHome(files: readonly { readonly name: string }[], worker: string): void {
  const path = foreignWorkerPath(worker);
  let isThere = false;
  for (const { name } of files) {
    // Some machines do not tell upper from lower case.
    const first = name.slice(0, name.includes("/") ? name.indexOf("/") : undefined).toLowerCase();
    if (reserved.has(first)) throw badZip(`${JSON.stringify(name)} would take the place of a file of Disco's`);
    isThere ||= name === path;
  }
  if (isThere) return;
  throw bad(
    `invalid jobhome: there is no worker: ${JSON.stringify(path)} is not among its ${files.length} files`,
    'Put the executable into the zip of the job pack, under the path that "worker" in the jobdict names.',
  );
}

function bad(message: string, hint?: string): JobError {
  return new JobError(message, { code: "bad-jobpack", ...(hint === undefined ? {} : { hint }) });
}
