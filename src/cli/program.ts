/** Names, arguments and help of all commands. What they do is in `commands/`, loaded on demand. */
import { Command, InvalidArgumentError, Option } from "commander";
import { packageVersion } from "../package-version.ts";
import { recordFormats } from "./print/record-text.ts";
import { addParam } from "./run/key-value.ts";

export function buildProgram(): Command {
  const program = new Command("disco")
    .description("Map/reduce jobs in TypeScript: two functions and one call.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "explain a command")
    .showHelpAfterError("(disco --help explains the commands)")
    .exitOverride();
  addRun(program);
  addJobCommands(program);
  program.addHelpText("after", programNotes);
  return program;
}

function addRun(program: Command): void {
  program
    .command("run")
    .summary("run a job and show its results")
    .description(
      "Runs the job that a module exports, on this machine, with a worker process a core.\n\n" +
        "The module's default export is a job dict (`{ input, map, reduce, … }` or a `JobDict`), or a function " +
        "`({ disco, inputs, params }) => …` that returns one or runs jobs of its own.",
    )
    .argument("<job>", "path of the job's module: .ts, .mts, .js or .mjs")
    .argument("[inputs...]", "paths, globs or addresses, instead of the job's own input")
    .option("-n, --name <name>", "name of the job (default: the file's name)")
    .option("-p, --partitions <n>", "number of partitions, or `none`", parsePartitions)
    .addOption(
      new Option("-P, --params <key=value>", "set a parameter of the job; the value may be JSON; repeatable")
        .argParser(addParam)
        .default({}, "none"),
    )
    .option("-o, --output <file>", "write all results to a file, or to standard output (`-`)")
    .addOption(
      new Option("--format <format>", "of --output (default: by the file's name, else tsv)").choices(recordFormats),
    )
    .option("--head <n>", "how many results to show", parseCount, 10)
    .option("--json", "print one JSON document at the end, and nothing else on standard output")
    .option("--events", "print the job's events on standard error")
    .option("-q, --quiet", "show no progress")
    .option("--keep", "keep intermediate files as well")
    .option("-w, --workers <n>", "worker processes (default: one a core)", parseWorkers)
    .option("--root <folder>", "where jobs and results are stored (default: $DISCO_ROOT or ~/.local/share/disco)")
    .addHelpText("after", runNotes)
    .action(async (file: string, inputs: string[], options) => {
      const { run } = await import("./run/run.ts");
      process.exitCode = await run(file, inputs, options);
    });
}

function addJobCommands(program: Command): void {
  const root = ["--root <folder>", "where jobs and results are stored"] as const;
  const json = ["--json", "print JSON"] as const;
  program
    .command("jobs")
    .description("list the jobs that are stored on this machine, the newest first")
    .option(...json)
    .option(...root)
    .action(async (options) => (await import("./commands/jobs.ts")).listJobs(options));
  program
    .command("job <name>")
    .description("show one job: its stages, its results, and why it died")
    .option(...json)
    .option(...root)
    .action(async (name: string, options) => (await import("./commands/jobs.ts")).showJob(name, options));
  program
    .command("results <name>")
    .description("print the addresses of a job's results, one a line")
    .option(...root)
    .action(async (name: string, options) => (await import("./commands/results.ts")).printResults(name, options));
  program
    .command("cat <name>")
    .description("print a job's results as text")
    .addOption(
      new Option("--format <format>", "one record a line: key, tab, value, or a JSON array")
        .choices(recordFormats)
        .default("tsv"),
    )
    .option(...root)
    .action(async (name: string, options) => (await import("./commands/results.ts")).catResults(name, options));
  program
    .command("events <name>")
    .description("print a job's events")
    .option("--json", "print one JSON object a line")
    .option(...root)
    .action(async (name: string, options) => (await import("./commands/events.ts")).printEvents(name, options));
  program
    .command("purge <names...>")
    .description("delete jobs, their results and all their files")
    .option(...root)
    .action(async (names: string[], options) => (await import("./commands/purge.ts")).purgeJobs(names, options));
}

function parsePartitions(text: string): number | null {
  if (text === "none") return null;
  return parseWhole(text, 1, "a whole number from 1 on, or `none`, was expected");
}

function parseWorkers(text: string): number {
  return parseWhole(text, 1, "a whole number from 1 on was expected");
}

function parseCount(text: string): number {
  return parseWhole(text, 0, "a whole number was expected");
}

function parseWhole(text: string, min: number, complaint: string): number {
  const n = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(n) || n < min) throw new InvalidArgumentError(`${complaint}.`);
  return n;
}

const programNotes = `
Example (count.ts):
  import { kvgroup } from "disco-mapreduce";
  export default {
    input: ["*.txt"],
    map: (line) => line.split(/\\s+/).map((word) => [word, 1]),
    sort: true,
    *reduce(pairs) {
      for (const [word, ones] of kvgroup(pairs)) yield [word, ones.reduce((a, n) => a + n, 0)];
    },
  };

  $ disco run count.ts

Environment:
  DISCO_ROOT     where jobs and results are stored
  DISCO_DEBUG=1  print whole stack traces
  NO_COLOR=1     no colours
`;

const runNotes = `
Results stay until \`disco purge NAME\` deletes them; \`disco cat NAME\` prints them again.
Ctrl-C kills the job and stops; twice, at once.

Examples:
  $ disco run word-count.ts                         the job's own input
  $ disco run word-count.ts 'books/*.txt' -p 4      other input, four partitions
  $ disco run grep.ts '*.log' -P pattern=error -o - parameters; results to standard output
  $ disco run word-count.ts --json | jq .results

Exit status: 0 done, 1 the job died, 2 bad arguments or options, 130 Ctrl-C.
`;
