/**
 * `disco run`: load the module, run what it exports, show, write or report the results. Returns the exit code.
 *
 * One flow for people and for programs (`--json`): a failure at any point kills the jobs that still run, then everything
 * that was said is printed, then comes the outcome.
 */
import { exitCodes, isUsageError } from "../exit-codes.ts";
import { formatError, reportError } from "../print/error-report.ts";
import { reportJob } from "../print/job-report.ts";
import type { RecordFormat } from "../print/record-text.ts";
import { formatOfFile, writeRecords } from "../print/write-records.ts";
import { lookOf } from "../progress/look.ts";
import { Interrupted, Interruption } from "./interruption.ts";
import { hookModules } from "./module-hooks.ts";
import type { RunOptions } from "./options.ts";
import { runModule } from "./run-module.ts";
import { Session } from "./session.ts";
import { showResults } from "./show-results.ts";

interface Outcome {
  /** `null`: the module ran jobs of its own and returned nothing to show. */
  readonly results: string[] | null;
  readonly failure: unknown;
}

export async function run(file: string, inputs: string[], options: RunOptions): Promise<number> {
  const release = options.json === true || options.output === "-" ? reserveStdout() : null;
  hookModules();
  const session = new Session(options);
  const interruption = new Interruption(() => announce(session));
  try {
    const outcome = await attempt(session, interruption, file, inputs, options);
    session.closeDisplay();
    release?.();
    if (options.json === true) printDocument(session, outcome);
    else await show(session, outcome, options);
    return exitCodeOf(outcome.failure);
  } finally {
    interruption.close();
    await session.close();
  }
}

async function attempt(
  session: Session,
  interruption: Interruption,
  file: string,
  inputs: string[],
  options: RunOptions,
): Promise<Outcome> {
  try {
    const results = await Promise.race([runModule(session, file, inputs, options), interruption.happened]);
    await session.settle();
    const { output } = options;
    if (results !== null && output !== undefined && output !== "-") await writeRecords(results, output, formatOf(options));
    return { results, failure: null };
  } catch (failure) {
    await session.kill();
    await session.settle();
    return { results: null, failure };
  }
}

async function show(session: Session, { results, failure }: Outcome, options: RunOptions): Promise<void> {
  if (failure instanceof Interrupted) {
    process.stderr.write("disco: stopped; what was finished stays until `disco purge`\n");
  } else if (failure !== null) {
    process.stderr.write(`${formatError(failure, lookOf(process.stderr))}\n`);
  } else if (options.output === "-") {
    if (results !== null) await writeRecords(results, "-", formatOf(options));
  } else {
    await showResults(session, options.output === undefined ? results : null, options.head);
  }
}

/** The document of `--json`; docs/cli.md has its schema. New keys may come, none changes while `version` is 1. */
function printDocument(session: Session, { results, failure }: Outcome): void {
  const jobs = session.infos().map(reportJob);
  const error = failure === null ? null : reportError(failure);
  const document = { version: 1, ok: failure === null, results: results ?? [], jobs, error };
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

function formatOf({ format, output }: RunOptions): RecordFormat {
  return format ?? formatOfFile(output ?? "");
}

/** What the module prints goes to standard error while standard output is kept for the records or the document. */
function reserveStdout(): () => void {
  const write = process.stdout.write;
  process.stdout.write = ((...args: Parameters<typeof write>) => process.stderr.write(...args)) as typeof write;
  return () => {
    process.stdout.write = write;
  };
}

function announce(session: Session): void {
  const names = session.active();
  const what = names.length === 0 ? "stopping" : `killing ${names.join(", ")}`;
  process.stderr.write(`disco: ${what} (Ctrl-C again: at once)\n`);
}

function exitCodeOf(failure: unknown): number {
  if (failure === null) return exitCodes.ok;
  if (failure instanceof Interrupted) return failure.exitCode;
  return isUsageError(failure) ? exitCodes.usage : exitCodes.failed;
}
