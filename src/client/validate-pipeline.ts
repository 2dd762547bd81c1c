/** The checks of the `pipeline` option: a list of stages, each a `map` or a `reduce`. */
import { groupings } from "../core/job/spec.ts";
import { badOption, checkNames, checkValues } from "./bad-option.ts";
import type { AnyJobOptions, StageOptions } from "./job-options.ts";
import { concurrencyMax, partitionsMax } from "./job-settings.ts";
import { anObject, type Check, functionCheck, functionList, integer, oneOf, orNull, shown } from "./option-checks.ts";

/** More stages than this are a mistake: each is a barrier. */
const stagesMax = 100;

const stageChecks: Readonly<Record<string, Check>> = {
  name: (value) =>
    typeof value === "string" && /^[a-zA-Z0-9_]{1,100}$/.test(value) ? null : "1 to 100 of [a-zA-Z0-9_]",
  grouping: oneOf(...groupings),
  map: functionCheck,
  reduce: functionCheck,
  init: functionCheck,
  combiner: functionCheck,
  partition: functionCheck,
  partitions: orNull(integer(1, partitionsMax)),
  sort: oneOf(true, false, "merge"),
  reader: functionCheck,
  inputStream: functionList,
  outputStream: functionList,
  concurrency: integer(1, concurrencyMax),
};

/** Options of a job that say nothing about stages, and so go together with a pipeline. */
const general: ReadonlySet<string> = new Set([
  "input",
  "pipeline",
  "params",
  "extParams",
  "scheduler",
  "requiredFiles",
  "requiredModules",
  "statusInterval",
  "profile",
  "save",
  "prefix",
  "name",
  "retries",
  "taskTimeout",
  "memoryLimit",
  "concurrency",
  "labels",
  "seed",
  "splitBytes",
  "keep",
]);

/** Throws `JobError` `bad-option`. */
export function validatePipeline(options: AnyJobOptions, known: readonly string[]): void {
  const stages: readonly StageOptions[] | undefined = options.pipeline;
  if (!Array.isArray(stages) || stages.length === 0 || stages.length > stagesMax) {
    throw badOption(`pipeline: a list of 1 to ${stagesMax} stages was expected, not ${shown(stages)}`);
  }
  for (const name of known) {
    if (general.has(name) || options[name as keyof AnyJobOptions] === undefined) continue;
    throw badOption(`${name} and pipeline exclude each other`, "Say it in the stage that it concerns.");
  }
  const names = new Map<string, number>();
  for (const [i, stage] of (stages as readonly StageOptions[]).entries()) {
    const place = `pipeline[${i}]`;
    if (anObject(stage) !== null) throw badOption(`${place}: an object was expected, not ${shown(stage)}`);
    checkNames(stage, stageChecks, `${place}.`, () => undefined);
    checkValues(stage, stageChecks, `${place}.`);
    if ((stage.map === undefined) === (stage.reduce === undefined)) {
      throw badOption(
        `${place}: either map or reduce was expected, not ${stage.map === undefined ? "neither" : "both"}`,
      );
    }
    if (stage.map !== undefined && stage.sort !== undefined && stage.sort !== false) {
      throw badOption(`${place}.sort has no effect on a map`, "Only the input of a reduce can be sorted.");
    }
    if (stage.partitions === null && stage.partition !== undefined) {
      throw badOption(`${place}.partition contradicts partitions: null, which means no partitioning`);
    }
    const name = stageName(stage, i);
    const other = names.get(name);
    if (other !== undefined) throw badOption(`${place}.name: ${shown(name)} is the name of pipeline[${other}] as well`);
    names.set(name, i);
  }
}

/** The name of a stage, given or made up. */
export function stageName(stage: StageOptions, index: number): string {
  return stage.name ?? `stage${index}`;
}
