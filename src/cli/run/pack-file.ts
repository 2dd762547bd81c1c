/** Job packs on a command line, where a module could stand: they go to the master as they are. */
import { open } from "node:fs/promises";
import type { Disco } from "../../client/disco.ts";
import type { Job } from "../../client/job.ts";
import { JobPack } from "../../client/packs/pack.ts";
import { DiscoError, JobError } from "../../errors.ts";
import { ownWorker } from "../../protocol/jobpack-dict.ts";
import { moduleName, usageError } from "./job-module.ts";
import type { JobModuleOptions } from "./options.ts";

/** First bytes of a job pack, before its version. */
const packMagic = Buffer.from([0xd5, 0xc0, 0x00]);

export async function isPackFile(file: string): Promise<boolean> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(packMagic.length), 0, packMagic.length, 0);
    return bytesRead === packMagic.length && buffer.equals(packMagic);
  } catch {
    // Whoever loads it says what is wrong with it.
    return false;
  }
}

/** @throws JobError `bad-jobpack`, `no-such-file` */
export async function readPackFile(file: string): Promise<JobPack> {
  try {
    return await JobPack.read(file);
  } catch (error) {
    if (!(error instanceof DiscoError) || error.code !== "bad-jobpack") throw error;
    const { message, hint } = error;
    if (moduleName.test(file)) {
      throw usageError(
        `${file} is no job pack but a module`,
        `Write disco run ${file}, or disco submit ${file} to start it at a master.`,
      );
    }
    throw new JobError(`${file}: ${message}`, {
      code: "bad-jobpack",
      cause: error,
      hint: `${hint === undefined ? "" : `${hint} `}\`disco jobpack inspect ${file}\` shows what is in it.`,
    });
  }
}

/** Starts the job of a pack, which no option of the command line can change. */
export async function startPack(
  disco: Disco,
  file: string,
  inputs: readonly string[],
  { name, partitions, params, keep, profile }: JobModuleOptions,
): Promise<{ readonly job: Job; readonly isForeign: boolean }> {
  const changes =
    inputs.length > 0 || name !== undefined || partitions !== undefined || keep === true || profile === true;
  if (changes || Object.keys(params).length > 0) {
    throw usageError(
      `${file} is a job pack, which cannot be changed any more`,
      "Leave out inputs and options of the job.",
    );
  }
  const pack = await readPackFile(file);
  return { job: await disco.submitPack(pack), isForeign: pack.worker !== ownWorker };
}
