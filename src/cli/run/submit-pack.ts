/**
 * `disco submit-pack`: starts the job of a job pack. At a master it prints the job's name, and waits where it is told to; without one
 * the job runs here and now, as with `disco run`.
 */
import { waitForJobs } from "../commands/wait.ts";
import { exitCodes } from "../exit-codes.ts";
import { chooseMaster, type MasterFlags } from "../master/choose-master.ts";
import { surroundings } from "../master/surroundings.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { readPackFile } from "./pack-file.ts";
import { run } from "./run.ts";
import { startAtMaster } from "./submit.ts";

export interface SubmitPackOptions extends MasterFlags {
  readonly wait?: boolean;
  readonly workers?: number;
  readonly events?: boolean;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

const unchanged = { params: {} };

export async function submitPackFile(file: string, options: SubmitPackOptions): Promise<number> {
  // What is wrong with it is said before anything else.
  await readPackFile(file);
  const master = await chooseMaster(options, surroundings);
  const { wait = false, ...others } = options;
  if (master.kind === "local") return run(file, [], { ...others, ...unchanged, head: 0 });
  const names: string[] = [];
  await startAtMaster(master, file, [], unchanged, (name) => void names.push(name));
  if (wait) return waitForJobs(names, options);
  if (options.json === true) printJson({ master: master.address, jobs: names });
  else printLines(names);
  return exitCodes.ok;
}
