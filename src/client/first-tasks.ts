/**
 * With how many tasks a job begins: a guess, at a glance, before anything is loaded that would know. The first job of an engine has so many
 * processes started at once (`engine.ts`). One too few costs that job the start of a process, one too many stays as the spare.
 */
import { statSync } from "node:fs";
import type { AnyJobOptions } from "./job-options.ts";
import { settingsOf } from "./job-settings.ts";
import { isGlob } from "./local-files.ts";
import { splitBytesFor } from "./splitting.ts";

/** Of validated options; for a pattern, as many as the job may run at once. */
export function firstTasks(options: AnyJobOptions): number {
  const { input, map, pipeline } = options;
  const grouping = pipeline?.[0]?.grouping ?? "split";
  // Without a map there may be one task for all inputs.
  if (grouping !== "split" || (map === undefined && pipeline?.[0]?.map === undefined)) return 1;
  const { scheduler, splitBytes } = settingsOf(options);
  const inputs: readonly unknown[] = Array.isArray(input) ? input : [input];
  const tasks = inputs.length === 1 ? tasksOf(inputs[0], splitBytesFor(options, splitBytes)) : inputs.length;
  return Math.min(tasks, scheduler.maxCores);
}

function tasksOf(input: unknown, splitBytes: number): number {
  if (typeof input !== "string" || /^[a-z][a-z0-9+.-]*:\/\//i.test(input)) return 1;
  if (isGlob(input)) return Number.POSITIVE_INFINITY;
  if (splitBytes === 0 || /\.(?:gz|zst)$/i.test(input)) return 1;
  const size = statSync(input, { throwIfNoEntry: false })?.size ?? 0;
  return Math.max(1, Math.ceil(size / splitBytes));
}
