/** `disco check-worker`: plays the node and the master to a worker, and reports each deviation from the protocol. */
import { nearestName } from "../../client/nearest-name.ts";
import { DiscoError } from "../../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { lookOf } from "../progress/look.ts";
import { Bench } from "./bench.ts";
import { type Check, type CheckResult, checks, plainFirst, runChecks } from "./checks.ts";
import { linesOfResult, linesOfSkipped, summaryOf } from "./report.ts";
import { readSubject, type SubjectOptions } from "./subject.ts";
import { transcriptOf } from "./transcript.ts";

export interface CheckWorkerOptions extends SubjectOptions {
  /** Ids. */
  readonly only?: readonly string[];
  readonly list?: boolean;
  readonly transcript?: boolean;
  /** Seconds. */
  readonly patience?: number;
  readonly json?: boolean;
}

/** What a node waits for a worker's first message, in seconds. */
const usualPatience = 30;
/** A run may last so many times as long. */
const runsPerPatience = 4;
const idWidth = Math.max(...checks.map(({ id }) => id.length));

/** Returns the exit code: 0 where the worker passes. */
export async function checkWorker(program: string | undefined, options: CheckWorkerOptions): Promise<number> {
  const wanted = wantedChecks(options.only);
  if (options.list === true) return list(wanted, options);
  const subject = await readSubject(program, options);
  const silenceMsMax = (options.patience ?? usualPatience) * 1_000;
  using _ = endedWithThis();
  await using bench = await Bench.open(subject, { silenceMsMax, runMsMax: silenceMsMax * runsPerPatience });
  if (options.transcript === true) return await showTranscript(bench, options);
  const look = lookOf(process.stdout);
  const results: CheckResult[] = [];
  for await (const result of runChecks(bench, wanted)) {
    results.push(result);
    if (options.json !== true && !isLater(result)) printLines(linesOfResult(result, look, idWidth));
  }
  const later = results.filter(isLater).map(({ id }) => id);
  if (options.json !== true && later.length > 0) printLines(linesOfSkipped(later, plainFirst, look));
  const passed = results.every(({ outcome }) => outcome.kind !== "failed");
  if (options.json === true) printJson({ version: 1, worker: subject.worker, stage: subject.stage, passed, results });
  else printLines(["", summaryOf(results)]);
  return passed ? exitCodes.ok : exitCodes.failed;
}

/** One line says it of all of them. */
function isLater({ outcome }: CheckResult): boolean {
  return outcome.kind === "skipped" && outcome.reason === plainFirst;
}

async function showTranscript(bench: Bench, { json }: CheckWorkerOptions): Promise<number> {
  const run = await bench.plain();
  const lines = transcriptOf(run, bench);
  if (json === true) printJson({ version: 1, end: run.end.kind, transcript: lines });
  else printLines(lines);
  return run.end.kind === "DONE" ? exitCodes.ok : exitCodes.failed;
}

function list(wanted: readonly Check[], { json }: CheckWorkerOptions): number {
  if (json === true) printJson(wanted.map(({ id, title }) => ({ id, title })));
  else printLines(wanted.map(({ id, title }) => `${id.padEnd(idWidth)}  ${title}`));
  return exitCodes.ok;
}

function wantedChecks(only: readonly string[] | undefined): readonly Check[] {
  const ids = checks.map(({ id }) => id);
  const unknown = only?.find((id) => !ids.includes(id));
  if (unknown !== undefined) {
    const meant = nearestName(unknown, ids);
    const hint = meant === undefined ? "disco check-worker --list shows all." : `Did you mean ${meant}?`;
    throw new DiscoError(`there is no check ${unknown}`, { code: "bad-argument", hint });
  }
  return checks.filter(({ id }) => only === undefined || only.includes(id));
}

/** Workers are in process groups of their own, and Ctrl-C does not reach them: the end of this process is theirs. */
function endedWithThis(): Disposable {
  const interrupted = (): void => process.exit(exitCodes.interrupted);
  const terminated = (): void => process.exit(exitCodes.terminated);
  process.once("SIGINT", interrupted).once("SIGTERM", terminated);
  return {
    [Symbol.dispose]: () => void process.off("SIGINT", interrupted).off("SIGTERM", terminated),
  };
}
