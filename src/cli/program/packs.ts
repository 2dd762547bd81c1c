/** Commands for job packs: files that hold a whole job, of any client and for workers in any language. */
import type { Command } from "commander";
import { parseWorkers } from "./option-values.ts";
import { withExamples, withMaster } from "./shared-options.ts";

export function addPackCommands(program: Command): void {
  const submit = program
    .command("submit-pack")
    .summary("start the job of a job pack")
    .description(
      "Starts the job of a job pack at a master and prints its name; where there is no master, the job runs here and now, and " +
        "the command ends with it. The pack may be of any client of Disco's, and its worker a program in any language.",
    )
    .argument("<pack>", "path of the job pack")
    .option("--wait", "wait until the job has ended, and show its progress; the exit status is 1 when it is dead")
    .option("--events", "of a run here: print the job's events on standard error")
    .option("-q, --quiet", "show no progress")
    .option("-w, --workers <n>", "worker processes, of a run here (default: one a core)", parseWorkers);
  withExamples(
    withMaster(submit, "print one JSON document"),
    "disco submit-pack count.pack --wait",
    "disco wait $(disco submit-pack count.pack --master disco://host)",
  ).action(async (file: string, options) => {
    const { submitPackFile } = await import("../run/submit-pack.ts");
    process.exitCode = await submitPackFile(file, options);
  });

  const packs = program
    .command("jobpack")
    .summary("look into job packs")
    .description("Looks into job packs that are files.");
  withExamples(packs, "disco jobpack inspect count.pack");

  const inspect = packs
    .command("inspect")
    .summary("show what is in a job pack, and what is wrong with it")
    .description(
      "Shows the header, job dict, environment, files and size of the data of a job pack, as far as they can be read, and " +
        "what is wrong with it and where. Nothing of it runs. The exit status is 1 when there is something wrong.",
    )
    .argument("<pack>", "path of the job pack")
    .option("--json", "print JSON");
  withExamples(
    inspect,
    "disco jobpack inspect count.pack",
    "disco jobpack inspect count.pack --json | jq .files",
  ).action(async (file: string, options) => {
    const { inspectPack } = await import("../commands/jobpack-inspect.ts");
    process.exitCode = await inspectPack(file, options);
  });
}
