/**
 * The `disco` command. Only the parser is loaded here; each command loads what it needs when it runs, because most of the
 * time of a short job would otherwise go into starting.
 */
import type { CommanderError } from "commander";
import type { DiscoError } from "../errors.ts";
import { exitCodeOfError, exitCodes } from "./exit-codes.ts";

/** What somebody types who forgot the `run`. */
const moduleFile = /^[^-].*\.[cm]?[jt]s$/;

export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on("error", endQuietly);
  process.stderr.on("error", endQuietly);
  const [first] = args;
  if (first === "__complete") {
    await (await import("./completion/complete.ts")).complete(args.slice(args[1] === "--" ? 2 : 1));
    await leave();
  }
  if (first !== undefined && moduleFile.test(first)) {
    process.stderr.write(`disco: ${first} is a file; to run the job in it: disco run ${args.join(" ")}\n`);
    process.exitCode = exitCodes.usage;
    return;
  }
  const [{ buildProgram }, commander] = await Promise.all([import("./program.ts"), import("commander")]);
  try {
    await buildProgram().parseAsync([...args], { from: "user" });
  } catch (error) {
    // Help and version that were asked for are printed.
    if (error instanceof commander.CommanderError && error.exitCode === 0) process.exitCode = exitCodes.ok;
    else await fail(error instanceof commander.CommanderError ? await refused(error) : error, args);
  }
  await leave();
}

async function refused(error: CommanderError): Promise<DiscoError> {
  return (await import("./program/refused-arguments.ts")).refusedArguments(error);
}

async function fail(error: unknown, args: readonly string[]): Promise<void> {
  await printFatal(error);
  if (args.includes("--json")) await printRefusal(error, args[0] === "run");
}

async function printFatal(error: unknown): Promise<void> {
  const [{ formatError }, { lookOf }] = await Promise.all([
    import("./print/error-report.ts"),
    import("./progress/look.ts"),
  ]);
  process.stderr.write(`${formatError(error, lookOf(process.stderr))}\n`);
  process.exitCode = exitCodeOfError(error);
}

/** A program that asked for `--json` gets JSON also when its arguments were refused, or the command failed. */
async function printRefusal(failure: unknown, isRun: boolean): Promise<void> {
  const { printDocument, printError } = await import("./print/document.ts");
  if (isRun) printDocument({ jobs: [], results: null, failure });
  else printError(failure);
}

/** Ends the process also where the job's module left a server or a timer open; what was printed goes out first. */
async function leave(): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write("", done))));
  process.exit();
}

/** `disco cat … | head`: the reader has enough. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
  throw error;
}
