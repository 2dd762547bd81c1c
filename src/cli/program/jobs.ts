/** Commands that look at jobs and wait for them. */
import { type Command, Option } from "commander";
import { parseCount, parseSeconds } from "./option-values.ts";
import { statuses, withExamples, withMaster } from "./shared-options.ts";

const taskStatuses = ["waiting", "sleeping", "queued", "running", "done", "gone"] as const;
const eventLevels = ["debug", "info", "message", "warning", "error"] as const;
const shortName = "the job's name, or what it begins with; `@` is the newest job";

export function addJobCommands(program: Command): void {
  const jobs = program
    .command("jobs")
    .summary("list jobs, the newest first")
    .description(
      "Lists jobs, the newest first: status, progress, when they were submitted, how long they took, and by whom.",
    )
    .argument("[names...]", "only jobs whose names begin so, or match a pattern")
    .addOption(new Option("--status <status>", "only jobs of this status").choices(statuses))
    .option("--limit <n>", "how many to show; 0: all", parseCount, 25);
  withExamples(withMaster(jobs), "disco jobs", "disco jobs --status dead", "disco jobs 'word_count*' --limit 0").action(
    async (names: string[], options) => (await import("../commands/jobs.ts")).listJobs(names, options),
  );

  const job = program
    .command("job")
    .summary("show one job: stages, tasks, why it waits or died")
    .description(
      "Shows one job: how far its stages are, what runs where, why the rest waits, its results, and why it died, with the " +
        "lines of your source.",
    )
    .argument("<name>", shortName)
    .option("--tasks", "list its tasks, a line for each attempt that runs")
    .option("--stage <stage>", "with --tasks: of this stage only")
    .addOption(new Option("--status <status>", "with --tasks: of this status only").choices(taskStatuses))
    .option("--limit <n>", "with --tasks: how many; 0: all", parseCount, 100);
  withExamples(withMaster(job), "disco job word_count", "disco job @ --tasks --status running").action(
    async (name: string, options) => (await import("../commands/job.ts")).showJob(name, options),
  );

  const wait = program
    .command("wait")
    .summary("wait until jobs have ended")
    .description(
      "Waits until jobs have ended, and shows their progress. The exit status is 1 when one of them is dead, or when the time " +
        "is up; the jobs go on then, and so they do after Ctrl-C.",
    )
    .argument("<names...>", shortName)
    .option("--timeout <seconds>", "how long to wait for all of them", parseSeconds)
    .option("-q, --quiet", "show no progress");
  withExamples(withMaster(wait), "disco wait word_count", "disco wait $(disco submit a.ts) --timeout 600").action(
    async (names: string[], options) => {
      process.exitCode = await (await import("../commands/wait.ts")).waitForJobs(names, options);
    },
  );

  const events = program
    .command("events")
    .summary("print what happened to a job")
    .description("Prints a job's events: what the master decided, what its tasks said, what failed and why.")
    .argument("<name>", shortName)
    .option("-f, --follow", "go on until the job has ended")
    .addOption(new Option("--level <level>", "only events of this level or above").choices(eventLevels))
    .option("--from <offset>", "only what came after the event with this offset (--json has them)", parseCount, 0);
  withExamples(
    withMaster(events, "print one JSON object a line"),
    "disco events word_count",
    "disco events @ --follow --level warning",
    "disco events word_count --json --from 4096",
  ).action(async (name: string, options) => (await import("../commands/events.ts")).printEvents(name, options));

  const jobdict = program
    .command("jobdict")
    .summary("print what a job was asked to do")
    .description(
      "Prints the job dict of a job, or of a job pack: inputs, pipeline, functions by their names, params and limits. None of the " +
        "job's code runs.",
    )
    .argument("<name>", `${shortName}; or the path of a job pack`);
  withExamples(withMaster(jobdict), "disco jobdict word_count", "disco jobdict @ --json | jq .inputs").action(
    async (name: string, options) => (await import("../commands/jobdict.ts")).printJobDict(name, options),
  );
}
