/** Refuses built-in functions (`disco-mapreduce/fn`) where they make no sense. */
import { type Misplaced, mismatched, misplaced } from "../fn/positions.ts";
import { badOption } from "./bad-option.ts";
import type { AnyJobOptions, StageOptions } from "./job-options.ts";

/** Options that are functions, or lists of them, in a flat job and in a stage. */
const functionOptions = /^(?:map|combiner|reduce|partition|init|reader|(?:map|reduce)(?:Init|Reader|Writer))$/;

/** Throws `JobError` `bad-option`. */
export function checkBuiltIns(options: AnyJobOptions): void {
  check(options, "");
  const stages: readonly StageOptions[] = options.pipeline ?? [];
  for (const [i, stage] of stages.entries()) {
    check(stage, `pipeline[${i}].`);
    refuse(mismatched(stage.combiner, stages[i + 1]?.reduce), `pipeline[${i + 1}].`);
  }
  refuse(mismatched(options.combiner, options.reduce), "");
}

function check(options: object, place: string): void {
  for (const [name, value] of Object.entries(options)) {
    if (functionOptions.test(name)) refuse(misplaced(value, name), place);
  }
}

function refuse(mistake: Misplaced | null, place: string): void {
  if (mistake !== null) throw badOption(`${place}${mistake.message}`, mistake.hint);
}
