/**
 * `disco run`: load the module, run what it exports, show, write or report the results. Returns the exit code.
 *
 * One flow for people and for programs (`--json`): a failure at any point kills the jobs that still run, then everything
 * that was said is printed, then comes the outcome.
 */
import type { ProfileStats } from "../../client/profile/profile-stats.ts";
import { DiscoError } from "../../errors.ts";
import { exitCodeOfError, exitCodes } from "../exit-codes.ts";
import { type ChosenMaster, chooseMaster } from "../master/choose-master.ts";
import { surroundings } from "../master/surroundings.ts";
import { printDocument } from "../print/document.ts";
import { formatError } from "../print/error-report.ts";
import { reportJob } from "../print/job-report.ts";
import { ownCommand } from "../print/own-command.ts";
import type { OutputFormat } from "../print/record-text.ts";
import { formatOfFile, writeRecords } from "../print/write-records.ts";
import { lookOf } from "../progress/look.ts";
import { Interrupted, Interruption } from "./interruption.ts";
import { usageError } from "./job-module.ts";
import { hookModules } from "./module-hooks.ts";
import type { RunOptions } from "./options.ts";
import { checkOutput } from "./output-place.ts";
import { isPackFile, startPack } from "./pack-file.ts";
import { reserveStdout } from "./reserved-stdout.ts";
import { runModule } from "./run-module.ts";
import { type LeftJobs, Session } from "./session.ts";
import { showResults } from "./show-results.ts";

interface Outcome {
  /** `null`: the module ran jobs of its own and returned nothing to show. */
  readonly results: string[] | null;
  /** Whoever ran the job's tasks is a program of its own: nobody knows what its results are. */
  readonly isForeign?: boolean;
  readonly failure: unknown;
}

export async function run(file: string, inputs: string[], options: RunOptions): Promise<number> {
  if (options.json === true && options.output === "-") {
    throw usageError("--json and --output - both want standard output", "Write the records to a file.");
  }
  if (options.detach === true) {
    const { submit } = await import("./submit.ts");
    return submit(file, inputs, options);
  }
  const release = options.json === true || options.output === "-" ? reserveStdout() : null;
  hookModules();
  const session = await openSession(options);
  if (!(session instanceof Session)) {
    release?.();
    if (options.json !== true) throw session.failure;
    printDocument({ jobs: [], ...session });
    return exitCodeOfError(session.failure);
  }
  try {
    const outcome = await attempt(session, file, inputs, options);
    session.closeDisplay();
    release?.();
    const profile = outcome.failure === null ? ((await session.profile?.finish(session.infos())) ?? null) : null;
    const { results, failure } = outcome;
    if (options.json === true) printDocument({ jobs: session.infos().map(reportJob), results, failure, profile });
    else await show(session, outcome, options);
    if (options.json !== true && profile !== null) showProfile(profile, options);
    return exitCodeOf(outcome.failure, session.jobs.length > 0);
  } finally {
    await session.close();
  }
}

/** What is wrong with the options, the settings or the address of the master is an outcome like any other. */
async function openSession(options: RunOptions): Promise<Session | Outcome> {
  try {
    const master = await chooseMaster(options, surroundings);
    if (options.quiet !== true) announceMaster(master, options);
    return new Session(master, options);
  } catch (failure) {
    return { results: null, failure };
  }
}

/** Nobody should have to guess on which machine their job runs. */
function announceMaster(master: ChosenMaster, { workers }: RunOptions): void {
  if (master.kind === "local") return;
  const ignored = workers === undefined ? "" : "; --workers says nothing there";
  process.stderr.write(`disco: this runs at ${master.address} (${master.from})${ignored}\n`);
}

/** Ctrl-C is ours as long as there may be something to kill; afterwards it ends the process, as everywhere. */
async function attempt(session: Session, file: string, inputs: string[], options: RunOptions): Promise<Outcome> {
  const interruption = new Interruption(() => announce(session));
  try {
    const done = await Promise.race([work(session, file, inputs, options), interruption.happened]);
    return { ...done, failure: null };
  } catch (failure) {
    await session.end();
    if (session.left !== null) sayLeft(session.left);
    return { results: null, failure };
  } finally {
    interruption.close();
  }
}

async function work(
  session: Session,
  file: string,
  inputs: string[],
  options: RunOptions,
): Promise<{ results: string[] | null; isForeign?: boolean }> {
  const { output } = options;
  if (output !== undefined) await checkOutput(output);
  if (await isPackFile(file)) return workPack(session, file, inputs, options);
  const results = await runModule(session.disco, file, inputs, options, (job) => job.wait());
  await session.settle();
  if (results !== null && output !== undefined && output !== "-")
    await writeRecords(results, output, formatOf(options));
  return { results };
}

async function workPack(
  session: Session,
  file: string,
  inputs: string[],
  options: RunOptions,
): Promise<{ results: string[]; isForeign: boolean }> {
  const { output } = options;
  const { job, isForeign } = await startPack(session.disco, file, inputs, options);
  const results = await job.wait();
  await session.settle();
  if (output !== undefined && output !== "-") await writeRecords(results, output, formatOf(options, isForeign));
  return { results, isForeign };
}

async function show(session: Session, outcome: Outcome, options: RunOptions): Promise<void> {
  const { results, failure, isForeign = false } = outcome;
  if (failure instanceof Interrupted) {
    if (session.left === null)
      process.stderr.write(`disco: stopped; what was finished stays until \`${ownCommand()} purge NAME\`\n`);
  } else if (failure !== null) {
    process.stderr.write(`${formatError(failure, lookOf(process.stderr))}\n`);
  } else if (options.output === "-") {
    if (results !== null) await writeRecords(results, "-", formatOf(options, isForeign));
  } else {
    const written = results === null ? undefined : options.output;
    const shown = written === undefined && !isForeign ? results : null;
    await showResults(session, shown, options.head, written);
  }
}

/** Below the results, and beside them where they are all that belongs on standard output. */
function showProfile(profile: ProfileStats, { output }: RunOptions): void {
  const stream = output === "-" ? process.stderr : process.stdout;
  stream.write("\n");
  profile.printStats({ stream });
}

function formatOf({ format, output }: RunOptions, isForeign = false): OutputFormat {
  return format ?? (isForeign ? "raw" : formatOfFile(output ?? ""));
}

function announce(session: Session): void {
  // Nothing can be killed there now: what is left is said next.
  if (session.outages.master !== null) return;
  // How far they were is no news any more.
  session.closeDisplay();
  const names = session.active();
  const what = names.length === 0 ? "stopping" : `killing ${names.join(", ")}`;
  process.stderr.write(`disco: ${what} (Ctrl-C again: at once)\n`);
}

function sayLeft({ master, names }: LeftJobs): void {
  const what =
    names.length === 0 ? "the job may have arrived there: `disco jobs` tells" : `${names.join(", ")} left there`;
  const how =
    names.length === 0 ? "" : `: \`disco kill ${names.join(" ")}\` ends ${names.length === 1 ? "it" : "them"}`;
  process.stderr.write(`disco: the master at ${master} does not answer; ${what}${how}\n`);
}

function exitCodeOf(failure: unknown, started: boolean): number {
  if (failure === null) return exitCodes.ok;
  if (failure instanceof Interrupted) return failure.exitCode;
  const code = exitCodeOfError(failure);
  if (code === exitCodes.unreachable) return code;
  return failure instanceof DiscoError && !started ? exitCodes.usage : exitCodes.failed;
}
