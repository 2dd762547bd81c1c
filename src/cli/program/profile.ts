/** `disco profile`. */
import { type Command, Option } from "commander";
import { parseCount } from "./option-values.ts";
import { withExamples, withMaster } from "./shared-options.ts";

export function addProfile(program: Command): void {
  const profile = program
    .command("profile")
    .summary("show where the time of a job went")
    .description(
      "Prints the CPU profiles of a job's tasks, merged, by function: time in the function itself, time with all that it " +
        "called, its file and line. The job has to be run with `profile: true`, or `disco run --profile`.",
    )
    .argument("<name>", "the job's name, or what it begins with; `@` is the newest job")
    .option("--mode <stage>", "only the tasks of this stage: map, reduce … (default: all)", "")
    .addOption(
      new Option("--sort <time>", "by time in the function itself, or in all")
        .choices(["self", "total"])
        .default("self"),
    )
    .option("--limit <n>", "how many functions to show; 0: all", parseCount, 20)
    .option("-o, --output <file>", "write a .cpuprofile for Chrome and speedscope; `-` is standard output");
  withExamples(
    withMaster(profile, "print all functions as JSON"),
    "disco profile word_count --mode map --sort total",
    "disco profile @ -o job.cpuprofile",
  ).action(async (name: string, options) => (await import("../commands/profile.ts")).printProfile(name, options));
}
