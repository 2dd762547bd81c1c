/** Reads job packs as a master would, and writes their files. */

import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { JobError } from "../../errors.ts";
import { checkForeignHome } from "../../protocol/foreign-home.ts";
import { decodeJobPack, jobPackBytesMax } from "../../protocol/jobpack.ts";
import { ownWorker, readDiscoDict } from "../../protocol/jobpack-dict.ts";
import { readHome } from "../../protocol/jobpack-zip.ts";
import { fileFault } from "../file-fault.ts";

/** @throws JobError `bad-jobpack`, `no-such-file` */
export async function readPack(source: Uint8Array | string): Promise<{
  version: 1 | 2;
  jobdict: Readonly<Record<string, unknown>>;
  jobenvs: Readonly<Record<string, string>>;
  jobhome: ReadonlyMap<string, { readonly contents: Uint8Array; readonly mode: number }>;
  jobdata: Uint8Array;
  bytes: Uint8Array;
}> {
  const bytes = typeof source === "string" ? await readPackFile(source) : source;
  if (!(bytes instanceof Uint8Array)) throw bad("the bytes of a job pack, or the path of a file, were expected");
  const { version, jobdict, jobenvs, jobhome: zip, jobdata } = decodeJobPack(bytes);
  const { worker } = readDiscoDict(jobdict, version);
  const jobhome = readHome(zip);
  if (worker !== ownWorker)
    checkForeignHome(
      [...jobhome.keys()].map((name) => ({ name })),
      worker,
    );
  return { version, jobdict, jobenvs, jobhome, jobdata, bytes };
}

/** The bytes of a job pack, unread. @throws JobError `no-such-file`, `bad-jobpack` */
export async function readPackFile(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > jobPackBytesMax) throw bad(`${path}: the job pack has ${size} bytes, the limit is ${jobPackBytesMax}`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof JobError) throw cause;
    throw new JobError(`the job pack ${path} cannot be read: ${fileFault(cause)}`, {
      code: "no-such-file",
      cause,
      hint: `It was looked for at ${resolve(path)}.`,
    });
  }
}

export async function writePack(file: string, bytes: Uint8Array): Promise<void> {
  const partial = `${file}.partial-${process.pid}`;
  try {
    await writeFile(partial, bytes);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

function bad(message: string): JobError {
  return new JobError(message, { code: "bad-jobpack" });
}
