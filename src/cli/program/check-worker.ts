/** `disco check-worker`. */
import type { Command } from "commander";
import { parseSeconds } from "./option-values.ts";
import { withExamples } from "./shared-options.ts";

export function addCheckWorker(program: Command): void {
  const check = program
    .command("check-worker")
    .summary("check that a worker in any language speaks the protocol")
    .description(
      "Plays the master to a worker that is a program, in tasks as they come and as nobody hopes for, and reports each deviation from the " +
        "worker protocol: what came, what was expected, and what to do. The exit status is 1 when there is one. See docs/workers.md.",
    )
    .argument("[program]", "the worker: an executable")
    .option(
      "--pack <file>",
      "check the worker of a job pack instead, with the files and the environment that it brings along",
    )
    .option("--stage <stage>", "the stage of its tasks (default: that of the pack which is the first, else map)")
    .option(
      "--input <inputs...>",
      "what it gets to read: files or addresses (default: those of the pack, else short texts)",
    )
    .option("--data <file>", "the job's data, which are for the worker alone (default: none)")
    .option("--only <checks...>", "make these checks only")
    .option("--patience <seconds>", "how long it may say nothing (default: 30)", parseSeconds)
    .option("--list", "list the checks")
    .option("--transcript", "print one session of it instead, message by message")
    .option("--json", "print JSON");
  withExamples(
    check,
    "disco check-worker ./my-worker",
    "disco check-worker ./my-worker --stage reduce --input counts.txt --only plain outputs",
    "disco check-worker --pack words.pack",
  ).action(async (worker: string | undefined, options) => {
    process.exitCode = await (await import("../check-worker/check-worker.ts")).checkWorker(worker, options);
  });
}
