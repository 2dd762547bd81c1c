/**
 * `disco submit`: starts a job at a master, prints its name and does not wait. `JOB` is a module as for `disco run`, or a job pack
 * (a file that begins as one), which goes to the master as it is.
 */
import { DiscoError } from "../../errors.ts";
import { connect } from "../commands/open-disco.ts";
import { exitCodes } from "../exit-codes.ts";
import { type ChosenMaster, chooseMaster } from "../master/choose-master.ts";
import { surroundings } from "../master/surroundings.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { hookModules } from "./module-hooks.ts";
import type { JobModuleOptions, RunOptions } from "./options.ts";
import { isPackFile, startPack } from "./pack-file.ts";
import { reserveStdout } from "./reserved-stdout.ts";
import { runModule } from "./run-module.ts";

export type SubmitOptions = Pick<
  RunOptions,
  "name" | "partitions" | "params" | "keep" | "profile" | "master" | "root" | "config" | "json"
>;

export async function submit(file: string, inputs: string[], options: SubmitOptions): Promise<number> {
  const master = await chooseMaster(options, surroundings);
  if (master.kind === "local") {
    throw new DiscoError("there is no master that would go on with the job", {
      code: "no-master",
      hint: "`disco start` starts one; `disco run` runs the job here and now; --master names one elsewhere.",
    });
  }
  const names: string[] = [];
  try {
    await startAtMaster(master, file, inputs, options, (name) => void names.push(name));
  } finally {
    // Also of a module that failed half way: what it has started runs.
    if (options.json !== true) printLines(names);
  }
  if (options.json === true) printJson({ master: master.address, jobs: names });
  return exitCodes.ok;
}

/** `started` is called with the name of each job as it is accepted. */
export async function startAtMaster(
  master: ChosenMaster,
  file: string,
  inputs: string[],
  options: JobModuleOptions,
  started: (name: string) => void,
): Promise<void> {
  const release = reserveStdout();
  try {
    hookModules();
    await using disco = connect(master, { onSubmit: started });
    if (await isPackFile(file)) await startPack(disco, file, inputs, options);
    else await runModule(disco, file, inputs, options, async () => null);
  } finally {
    release();
  }
}
