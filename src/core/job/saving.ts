/**
 * Between the last task and "ready": results (and out-of-band values) are kept in DDFS, where that was asked for. The job is active
 * until the tag is written; nobody hears of results that are not there.
 *
 *   all stages complete ─▶ saving ─▶ results-saved ─▶ ready, with the tag as its result
 *                            │  ├──▶ results-not-saved, outputs lost ─▶ their tasks run again ─▶ saving, anew
 *                            │  └──▶ results-not-saved ─▶ sleeps ─▶ saving, anew … or dead
 *                            └──▶ an output is lost with its node ─▶ its task runs again ─▶ saving, anew
 *
 * SV1. A try has a number of its own; what is said of an earlier one changes nothing.
 * SV2. A job is ready with a tag only if the tag was made from the present outputs: whatever takes one away ends the try.
 */
import type { SaveResults } from "../commands.ts";
import type { ResultsNotSaved, ResultsSaved } from "../events.ts";
import { demandOne, loseOutput } from "./loss.ts";
import type { JobMachine } from "./machine.ts";
import { done } from "./stage.ts";
import { texts } from "./texts.ts";

export interface Saving {
  /** Counts from 1 within the job. */
  readonly attempt: number;
  /** Milliseconds since 1970: it is tried again then; 0: it is under way. */
  readonly wakeAt: number;
}

/** Tries that fail one after the other, before the job is dead. */
export const saveFailuresMax = 8;
const firstDelayMs = 1_000;
const delayMsMax = 30_000;

export function needsSaving({ spec, stages }: JobMachine): boolean {
  const { save } = spec;
  if (save === undefined) return false;
  return save.results || (save.oob && stages.some(({ outputs }) => outputs.tasksWithOob().length > 0));
}

export function beginSaving(job: JobMachine, at: number): void {
  if (job.saveFailures === 0) job.out.log(at, texts.saving());
  job.saving = { attempt: ++job.saves, wakeAt: 0 };
  job.out.push({ kind: "save-results", job: job.name, attempt: job.saves });
}

/** Whether that ended the job. */
export function resultsSaved(job: JobMachine, { attempt, results, at }: ResultsSaved): boolean {
  if (job.saving?.attempt !== attempt || job.saving.wakeAt > 0) return false;
  job.out.log(at, texts.saved());
  if (results !== null) job.savedResults = results;
  return true;
}

export function resultsNotSaved(job: JobMachine, { attempt, at, reason, lost }: ResultsNotSaved): void {
  if (job.saving?.attempt !== attempt || job.saving.wakeAt > 0) return;
  job.out.log(at, texts.notSaved(reason), "warning");
  let again = 0;
  for (const { stage: number, task, ref } of lost) {
    const stage = job.stages[number];
    if (stage === undefined || task >= stage.tasks || !stage.outputs.has(task)) continue;
    const known = stage.outputs.ref(task);
    if (known.host !== ref.host || known.file !== ref.file || known.at !== ref.at) continue;
    if (stage.state(task) === done) loseOutput(stage, task, false);
    // Nobody but this reads it.
    job.wanted.add(wantedKey(number, task));
    demandOne(stage, task);
    again++;
  }
  job.saveFailures++;
  if (job.saveFailures >= saveFailuresMax) {
    job.saving = null;
    job.die(at, `its results could not be saved: ${reason}`, null);
    return;
  }
  if (again > 0) {
    job.saving = null;
    return;
  }
  const wakeAt = at + Math.min(firstDelayMs * 2 ** (job.saveFailures - 1), delayMsMax);
  job.saving = { attempt, wakeAt };
  job.out.push({ kind: "set-timer", key: saveKey(job.name, wakeAt), at: wakeAt });
}

/** The pause between two tries is over. */
export function saveAgain(job: JobMachine, wakeAt: number): void {
  if (job.status === "active" && job.saving?.wakeAt === wakeAt) beginSaving(job, wakeAt);
}

export function saveKey(job: string, wakeAt: number): string {
  return `${job}/0/save/${wakeAt}`;
}

export function wantedKey(stage: number, task: number): string {
  return `${stage}/${task}`;
}

/** Tries that are under way: what a new master has to begin anew. */
export function unsaved(jobs: Iterable<JobMachine>): SaveResults[] {
  return [...jobs].flatMap(({ name, saving }) =>
    saving === null || saving.wakeAt > 0 ? [] : [{ kind: "save-results", job: name, attempt: saving.attempt }],
  );
}
