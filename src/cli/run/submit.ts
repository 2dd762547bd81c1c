/**
 * `disco submit`: starts a job at a master, prints its name and does not wait. `JOB` is a module as for `disco run`, or a job pack
 * (a file that begins as one), which goes to the master as it is.
 */
import { open, readFile } from "node:fs/promises";
import type { Disco } from "../../client/disco.ts";
import { DiscoError } from "../../errors.ts";
import { connect } from "../commands/open-disco.ts";
import { exitCodes } from "../exit-codes.ts";
import { chooseMaster } from "../master/choose-master.ts";
import { surroundings } from "../master/surroundings.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { usageError } from "./job-module.ts";
import { hookModules } from "./module-hooks.ts";
import type { RunOptions } from "./options.ts";
import { reserveStdout } from "./reserved-stdout.ts";
import { runModule } from "./run-module.ts";

export type SubmitOptions = Pick<
  RunOptions,
  "name" | "partitions" | "params" | "keep" | "profile" | "master" | "root" | "config" | "json"
>;

/** First bytes of a job pack, before its version. */
const packMagic = Buffer.from([0xd5, 0xc0, 0x00]);

export async function submit(file: string, inputs: string[], options: SubmitOptions): Promise<number> {
  const master = await chooseMaster(options, surroundings);
  if (master.kind === "local") {
    throw new DiscoError("there is no master that would go on with the job", {
      code: "no-master",
      hint: "`disco start` starts one; `disco run` runs the job here and now; --master names one elsewhere.",
    });
  }
  const names: string[] = [];
  const release = reserveStdout();
  try {
    hookModules();
    await using disco = connect(master, { onSubmit: (name) => void names.push(name) });
    if (await isJobPack(file)) names.push(await submitPack(disco, file, inputs, options));
    else await runModule(disco, file, inputs, options, async () => null);
  } finally {
    release();
    // Also of a module that failed half way: what it has started runs.
    if (options.json !== true) printLines(names);
  }
  if (options.json === true) printJson({ master: master.address, jobs: names });
  return exitCodes.ok;
}

async function isJobPack(file: string): Promise<boolean> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(packMagic.length), 0, packMagic.length, 0);
    return bytesRead === packMagic.length && buffer.equals(packMagic);
  } catch {
    // Whoever loads it as a module says what is wrong with it.
    return false;
  }
}

async function submitPack(disco: Disco, file: string, inputs: string[], options: SubmitOptions): Promise<string> {
  const { name, partitions, params, keep, profile } = options;
  const changes =
    inputs.length > 0 || name !== undefined || partitions !== undefined || keep === true || profile === true;
  if (changes || Object.keys(params).length > 0) {
    throw usageError(
      `${file} is a job pack, which cannot be changed any more`,
      "Leave out inputs and options of the job.",
    );
  }
  const pack = await readFile(file);
  return (await disco.master()).submit(pack, { idempotencyKey: crypto.randomUUID() });
}
