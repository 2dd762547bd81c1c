/** `disco run` and `disco submit`. */
import { type Command, Option } from "commander";
import { outputFormats } from "../print/record-text.ts";
import { addParam } from "../run/key-value.ts";
import { parseCount, parseWhole, parseWorkers } from "./option-values.ts";
import { withExamples, withMaster } from "./shared-options.ts";

export function addRun(program: Command): void {
  const run = program
    .command("run")
    .summary("run a job and show its results")
    .description(
      "Runs the job that a module exports: at the master that is named or runs here, else on this machine, with a worker " +
        "process a core.\n\n" +
        "The module's default export is a job dict (`{ input, map, reduce, … }` or a `JobDict`), or a function " +
        "`({ disco, inputs, params }) => …` that returns one or runs jobs of its own.",
    )
    .argument("<job>", "path of the job's module (.ts, .mts, .js or .mjs), or of a job pack")
    .argument("[inputs...]", "paths, globs or addresses, instead of the job's own input");
  withJobOptions(run)
    .option("-o, --output <file>", "write all results to a file, or to standard output (`-`)")
    .addOption(
      new Option(
        "--format <format>",
        "of --output (default: by the file's name, else tsv); raw: the bytes of the results as they are",
      ).choices(outputFormats),
    )
    .option("--head <n>", "how many results to show", parseCount, 10)
    .option("--events", "print the job's events on standard error")
    .option("-q, --quiet", "show no progress")
    .option("-w, --workers <n>", "worker processes, of a run on this machine (default: one a core)", parseWorkers)
    .option("-d, --detach", "start the job, print its name and do not wait: `disco submit`");
  withMaster(run, "print one JSON document at the end, and nothing else on standard output");
  run.addHelpText("after", runNotes).action(async (file: string, inputs: string[], options) => {
    const { run: runJob } = await import("../run/run.ts");
    process.exitCode = await runJob(file, inputs, options);
  });

  const submit = program
    .command("submit")
    .summary("start a job at a master and print its name")
    .description(
      "Starts the job that a module exports, or a job pack, at a master, prints its name and does not wait. The master goes " +
        "on with it when this command, or this machine, is gone.",
    )
    .argument("<job>", "path of the job's module, or of a job pack")
    .argument("[inputs...]", "paths, globs or addresses, instead of the job's own input");
  withMaster(withJobOptions(submit));
  withExamples(submit, "disco submit word-count.ts 'books/*.txt'", "disco wait $(disco submit word-count.ts)").action(
    async (file: string, inputs: string[], options) => {
      const { submit: submitJob } = await import("../run/submit.ts");
      process.exitCode = await submitJob(file, inputs, options);
    },
  );
}

function withJobOptions(command: Command): Command {
  return command
    .option("-n, --name <name>", "name of the job (default: the file's name)")
    .option("-p, --partitions <n>", "number of partitions, or `none`", parsePartitions)
    .addOption(
      new Option("-P, --params <key=value>", "set a parameter of the job; the value may be JSON; repeatable")
        .argParser(addParam)
        .default({}, "none"),
    )
    .option("--keep", "keep intermediate files as well")
    .option("--profile", "record a CPU profile of each task: `run` prints it at the end, `disco profile` later");
}

function parsePartitions(text: string): number | null {
  if (text === "none") return null;
  return parseWhole(text, 1, "a whole number from 1 on, or `none`, was expected");
}

const runNotes = `
Results stay until \`disco purge NAME\` deletes them; \`disco cat NAME\` prints them again.
Ctrl-C kills the job and stops; twice, at once.

Examples:
  $ disco run word-count.ts                         the job's own input
  $ disco run word-count.ts 'books/*.txt' -p 4      other input, four partitions
  $ disco run grep.ts '*.log' -P pattern=error -o - parameters; results to standard output
  $ disco run word-count.ts --json | jq .results
  $ disco run word-count.ts --master disco://host   elsewhere

Exit status: 0 done, 1 the job died, 2 bad arguments or options, 3 the master does not answer, 130 Ctrl-C.
`;
