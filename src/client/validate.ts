/**
 * Checks a job dict before anything is read or sent: names of options, types and ranges of their values, and options that
 * contradict each other. One rule for the last: an option that would have no effect is an error, because whoever wrote it
 * counts on it (`sort: true` without a reduce would silently give unsorted results).
 */
import { JobError } from "../errors.ts";
import { badOption, checkNames, checkValues } from "./bad-option.ts";
import { checkBuiltIns } from "./built-ins.ts";
import { extParamsCheck } from "./ext-params.ts";
import { externalFiles } from "./external.ts";
import { checkPrefix } from "./job-name.ts";
import type { AnyJobOptions } from "./job-options.ts";
import {
  concurrencyMax,
  maxCoresDefault,
  memoryLimitMaxMB,
  memoryLimitMinMB,
  partitionsMax,
  retriesMax,
  splitBytesMin,
} from "./job-settings.ts";
import {
  anObject,
  type Check,
  fileContents,
  flag,
  functionCheck,
  functionList,
  integer,
  oneOf,
  orNull,
  positive,
  shown,
  stringList,
  stringRecord,
} from "./option-checks.ts";
import { validatePipeline } from "./validate-pipeline.ts";

const anything: Check = () => null;
const partitionsCheck = orNull(integer(1, partitionsMax));

const checks: Readonly<Record<string, Check>> = {
  input: anything,
  map: functionCheck,
  mapInit: functionCheck,
  mapInputStream: functionList,
  mapOutputStream: functionList,
  mapReader: functionCheck,
  mapWriter: functionCheck,
  reduce: functionCheck,
  reduceInit: functionCheck,
  reduceInputStream: functionList,
  reduceOutputStream: functionList,
  reduceReader: functionCheck,
  reduceWriter: functionCheck,
  combiner: functionCheck,
  partition: functionCheck,
  partitions: partitionsCheck,
  nrReduces: integer(1, partitionsMax),
  mergePartitions: flag,
  scheduler: anObject,
  sort: oneOf(true, false, "merge"),
  params: anObject,
  extParams: extParamsCheck,
  requiredFiles: fileContents,
  requiredModules: stringList,
  statusInterval: integer(0, Number.MAX_SAFE_INTEGER),
  profile: flag,
  save: flag,
  prefix: anything,
  name: anything,
  pipeline: anything,
  retries: integer(0, retriesMax),
  taskTimeout: orNull(positive("a number of seconds above 0")),
  memoryLimit: (value) =>
    typeof value === "number" && value >= memoryLimitMinMB && value <= memoryLimitMaxMB
      ? null
      : `a number of megabytes from ${memoryLimitMinMB} to ${memoryLimitMaxMB.toLocaleString("en-US")}`,
  concurrency: integer(1, concurrencyMax),
  labels: stringRecord,
  seed: integer(0, 2 ** 32 - 1),
  splitBytes: (value) =>
    value === 0 || integer(splitBytesMin, Number.MAX_SAFE_INTEGER)(value) === null
      ? null
      : `0 (do not split) or at least ${splitBytesMin.toLocaleString("en-US")} bytes`,
  keep: flag,
};

const schedulerChecks: Readonly<Record<string, Check>> = {
  maxCores: integer(1, maxCoresDefault),
  forceLocal: flag,
  forceRemote: flag,
};

/** Options that only a job with a map, or with a reduce, can obey. */
const ofMap = [
  "mapInit",
  "mapInputStream",
  "mapOutputStream",
  "mapReader",
  "mapWriter",
  "combiner",
  "partition",
] as const;
const ofReduce = [
  "reduceInit",
  "reduceInputStream",
  "reduceOutputStream",
  "reduceReader",
  "reduceWriter",
  "mergePartitions",
  "sort",
] as const;

/**
 * Throws `JobError` `bad-option` naming the option, the value and what is allowed. Options that are `undefined` count as not
 * given. `input` is looked at only when the job is submitted.
 */
export function validateOptions(options: AnyJobOptions): void {
  if (anObject(options) !== null || options instanceof Promise) {
    throw new JobError(`a job is an object of options, not ${shown(options)}`, { code: "bad-option" });
  }
  checkNames(options, checks, "", otherNames);
  checkValues(options, checks, "");
  if (options.prefix !== undefined) checkPrefix(options.prefix);
  if (options.scheduler !== undefined) {
    checkNames(options.scheduler, schedulerChecks, "scheduler.", () => undefined);
    checkValues(options.scheduler, schedulerChecks, "scheduler.");
  }
  if (options.pipeline === undefined) checkMeaning(options);
  else validatePipeline(options, Object.keys(checks));
  checkBuiltIns(options);
  checkExternals(options);
  if (options.scheduler?.forceLocal === true && options.scheduler.forceRemote === true) {
    throw badOption("scheduler: forceLocal and forceRemote exclude each other", "Choose one of the two.");
  }
}

/** Names of earlier versions of Disco and of similar systems that are not just misspelt. */
function otherNames(name: string): string | undefined {
  const names: Readonly<Record<string, string>> = {
    fun_map: "map",
    input_files: "input",
    inputs: "input",
    reducer: "reduce",
    mapper: "map",
    reducers: "partitions",
    timeout: "taskTimeout",
    memory: "memoryLimit",
    save_results: "save",
  };
  return Object.hasOwn(names, name) ? names[name] : undefined;
}

function checkExternals({ extParams, map, reduce, pipeline = [] }: AnyJobOptions): void {
  if (extParams === undefined) return;
  const fns = [map, reduce, ...pipeline.flatMap((stage) => [stage.map, stage.reduce])];
  if (fns.some((fn) => externalFiles(fn) !== undefined)) return;
  throw badOption(
    "extParams has no effect without an external program",
    "Functions get params; a program is given by external([…]).",
  );
}

function checkMeaning(options: AnyJobOptions): void {
  const { map, reduce } = options;
  if (map === undefined && reduce === undefined) {
    throw badOption("neither map nor reduce is given: the job has nothing to do", "Give at least one of the two.");
  }
  if (options.nrReduces !== undefined && options.partitions !== undefined && options.partitions !== options.nrReduces) {
    throw badOption(
      `nrReduces (${options.nrReduces}) and partitions (${options.partitions}) contradict each other`,
      "nrReduces is the old name of partitions: leave it out.",
    );
  }
  if (map === undefined) refuseWithout("map", options, ofMap);
  if (reduce === undefined) refuseWithout("reduce", options, ofReduce);
  const { partitions = options.nrReduces ?? 1 } = options;
  if (map === undefined && partitions !== 1 && partitions !== null) {
    throw badOption(
      `partitions: ${partitions} needs a map: it divides the output of map`,
      "A job with only a reduce has one reduce for each label of its dir:// inputs.",
    );
  }
  if (partitions === null) {
    for (const name of ["partition", "mergePartitions"] as const) {
      if (isGiven(options[name])) throw badOption(`${name} contradicts partitions: null, which means no partitioning`);
    }
  }
  refuseBoth(options, "mapOutputStream", "mapWriter");
  refuseBoth(options, "reduceOutputStream", "reduceWriter");
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false;
}

function refuseWithout(kind: string, options: AnyJobOptions, names: readonly (keyof AnyJobOptions)[]): void {
  for (const name of names) {
    if (!isGiven(options[name])) continue;
    const hint =
      name === "sort"
        ? "Add reduce: nopReduce, which passes the sorted pairs on."
        : `Give a ${kind} function, or leave ${name} out.`;
    throw badOption(`${name} has no effect without ${kind}`, hint);
  }
}

function refuseBoth(
  options: AnyJobOptions,
  stream: "mapOutputStream" | "reduceOutputStream",
  writer: "mapWriter" | "reduceWriter",
): void {
  if (options[stream] === undefined || options[writer] === undefined) return;
  throw badOption(`${stream} and ${writer} exclude each other`, `${writer} is deprecated: put it into ${stream}.`);
}
