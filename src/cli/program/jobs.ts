/** Commands that look at jobs, wait for them or end them. */
import { type Command, Option } from "commander";
import { recordFormats } from "../print/record-text.ts";

export function addJobCommands(program: Command): void {
  const root = ["--root <folder>", "where jobs and results are stored"] as const;
  const json = ["--json", "print JSON"] as const;
  program
    .command("jobs")
    .description("list the jobs that are stored on this machine, the newest first")
    .option(...json)
    .option(...root)
    .action(async (options) => (await import("../commands/jobs.ts")).listJobs(options));
  program
    .command("job <name>")
    .description("show one job: its stages, its results, and why it died")
    .option(...json)
    .option(...root)
    .action(async (name: string, options) => (await import("../commands/jobs.ts")).showJob(name, options));
  program
    .command("results <name>")
    .description("print the addresses of a job's results, one a line")
    .option(...root)
    .action(async (name: string, options) => (await import("../commands/results.ts")).printResults(name, options));
  program
    .command("cat <name>")
    .description("print a job's results as text")
    .addOption(
      new Option("--format <format>", "one record a line: key, tab, value, or a JSON array")
        .choices(recordFormats)
        .default("tsv"),
    )
    .option(...root)
    .action(async (name: string, options) => (await import("../commands/results.ts")).catResults(name, options));
  program
    .command("events <name>")
    .description("print a job's events")
    .option("--json", "print one JSON object a line")
    .option(...root)
    .action(async (name: string, options) => (await import("../commands/events.ts")).printEvents(name, options));
  program
    .command("purge <names...>")
    .description("delete jobs, their results and all their files")
    .option(...root)
    .action(async (names: string[], options) => (await import("../commands/purge.ts")).purgeJobs(names, options));
}
