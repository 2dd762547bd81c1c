/**
 * What `disco` and `ddfs` do alike around their commands: parse, print errors for people and programs, and end. Only the parser is loaded
 * for that; each command loads what it needs when it runs, because most of the time of a short one would otherwise go into starting.
 */
import type { Command, CommanderError } from "commander";
import { keepAlive } from "../client/keep-alive.ts";
import type { DiscoError } from "../errors.ts";
import { exitCodeOfError, exitCodes } from "./exit-codes.ts";

/** An interrupted command waits so long for calls to the file system, and looks so often. */
const readPatienceMs = 1_000;
const readLookMs = 20;

export interface CommandLine {
  readonly name: "disco" | "ddfs";
  build(): Promise<Command>;
  /** Prints what `--json` asks for when a command fails. Default: `{ "error": … }`. */
  printFailure?(failure: unknown): Promise<void>;
}

export async function runCommandLine(line: CommandLine, args: readonly string[]): Promise<void> {
  process.stdout.on("error", endQuietly);
  process.stderr.on("error", endQuietly);
  const [first] = args;
  if (first === "__complete") {
    const words = args.slice(args[1] === "--" ? 2 : 1);
    await (await import("./completion/complete.ts")).complete(words, await line.build());
    await leave();
  }
  await executeCommandLine(line, args);
  await leave();
}

/** What is to be done and said, without the end of the process: its exit status is set. */
export async function executeCommandLine(line: CommandLine, args: readonly string[]): Promise<void> {
  const [program, commander] = await Promise.all([line.build(), import("commander")]);
  try {
    // Waiting for a master elsewhere keeps no process alive, but a command waits for its answer.
    await keepAlive(program.parseAsync([...args], { from: "user" }));
  } catch (error) {
    // Help and version that were asked for are printed.
    if (error instanceof commander.CommanderError && error.exitCode === 0) process.exitCode = exitCodes.ok;
    else await fail(line, error instanceof commander.CommanderError ? await refused(line, error) : error, args);
  }
}

async function refused({ name }: CommandLine, error: CommanderError): Promise<DiscoError> {
  return (await import("./program/refused-arguments.ts")).refusedArguments(error, name);
}

async function fail({ printFailure }: CommandLine, error: unknown, args: readonly string[]): Promise<void> {
  const [{ formatError }, { lookOf }] = await Promise.all([
    import("./print/error-report.ts"),
    import("./progress/look.ts"),
  ]);
  process.stderr.write(`${formatError(error, lookOf(process.stderr))}\n`);
  process.exitCode = exitCodeOfError(error);
  // A program that asked for `--json` gets JSON also when its arguments were refused, or the command failed.
  if (!args.includes("--json")) return;
  if (printFailure !== undefined) await printFailure(error);
  else (await import("./print/document.ts")).printError(error);
}

/** Ends the process also where the job's module left a server or a timer open; what was printed goes out first. */
async function leave(): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write("", done))));
  const signal = signalOf(process.exitCode);
  // `process.exit` waits for reads that cannot be called off: of a pipe into which nobody writes. Only the signal itself ends those.
  if (signal !== null && (await readsForEver())) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    await new Promise(() => setInterval(() => undefined, readPatienceMs));
  }
  process.exit();
}

function signalOf(code: typeof process.exitCode): "SIGINT" | "SIGTERM" | null {
  if (code === exitCodes.interrupted) return "SIGINT";
  return code === exitCodes.terminated ? "SIGTERM" : null;
}

/** Whether calls to the file system do not end. */
async function readsForEver(): Promise<boolean> {
  const until = performance.now() + readPatienceMs;
  while (process.getActiveResourcesInfo().some((name) => name.startsWith("FSReq"))) {
    if (performance.now() > until) return true;
    await new Promise((resolve) => setTimeout(resolve, readLookMs));
  }
  return false;
}

/** `disco cat … | head`: the reader has enough. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
  throw error;
}
