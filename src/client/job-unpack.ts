/** From a job pack back to options: the inverse of `job-pack.ts`, as far as a pack remembers. */
import type { JobSpec } from "../core/job/spec.ts";
import { DiscoError } from "../errors.ts";
import type { FnRef, JobData, StagePlan } from "../protocol/job-data.ts";
import { decodeJobPack, encodeJobPack, jobDictOf } from "../protocol/jobpack.ts";
import { decodeValue } from "../protocol/value.ts";
import { loadCode, type SetEmitter } from "../shipping/load.ts";
import { ownFunction } from "../worker/own-functions.ts";
import type { JobFunction } from "./plan.ts";

const megabyte = 1024 * 1024;

/** Throws `DiscoError` `bad-job-pack`. */
export async function unpackOptions(pack: Uint8Array): Promise<Record<string, unknown>> {
  const { jobdata, files: readFiles } = decodeJobPack(pack);
  const files = readFiles();
  const spec = specOf(pack);
  const data = decodeValue(jobdata) as JobData;
  const code = await loadCode(data.code, {
    findOwn: (name, args) => ownFunction(args === undefined ? { name } : { name, args }),
  });
  const fn = (ref: FnRef): JobFunction => {
    const setEmitter = code.emitter(ref);
    const found = code.fn(ref) as JobFunction;
    return setEmitter === null ? found : givingPairs(found, setEmitter);
  };
  return withoutUndefined({
    input: spec.inputs.map(({ replicas }) => (replicas.length === 1 ? replicas[0] : [...replicas])),
    ...(isFlat(data.stages)
      ? flatOptions(data.stages, fn)
      : { pipeline: data.stages.map((stage) => stageOptions(stage, fn)) }),
    params: decodeValue(data.params, { onFunction: fn }),
    scheduler: spec.scheduler,
    requiredFiles: files.size === 0 ? undefined : Object.fromEntries(files),
    requiredModules: data.requiredModules.length === 0 ? undefined : data.requiredModules,
    statusInterval: data.statusInterval,
    profile: data.profile,
    prefix: spec.prefix,
    retries: spec.retries,
    taskTimeout: spec.taskTimeoutMs === null ? null : spec.taskTimeoutMs / 1000,
    memoryLimit: spec.memoryLimitBytes / megabyte,
    concurrency: data.stages[0]?.concurrency,
    labels: spec.labels,
    seed: data.seed,
    keep: spec.keep,
    save: spec.save?.results === true ? true : undefined,
  });
}

/** A function that emits its pairs, as its author wrote it: it gives them. */
function givingPairs(fn: JobFunction, setEmitter: SetEmitter): JobFunction {
  const given = (...args: unknown[]): Iterable<unknown> => {
    const pairs: unknown[] = [];
    setEmitter(
      (key, value) => pairs.push([key, value]),
      (more) => {
        for (const pair of more as Iterable<unknown>) pairs.push(pair);
      },
    );
    (fn as (...args: unknown[]) => unknown)(...args);
    return pairs.values();
  };
  return Object.defineProperty(given, "name", { value: fn.name });
}

/** The pack of the same job under another name. */
export function renamePack(pack: Uint8Array, prefix: string): Uint8Array {
  const decoded = decodeJobPack(pack);
  return encodeJobPack({ ...decoded, files: decoded.files(), jobdict: jobDictOf({ ...specOf(pack), prefix }) });
}

/** The addresses of the job's inputs, replicas of one together. */
export function inputsOf(pack: Uint8Array): (readonly string[])[] {
  return specOf(pack).inputs.map(({ replicas }) => replicas);
}

function specOf(pack: Uint8Array): JobSpec {
  const { jobdict } = decodeJobPack(pack);
  const spec = (jobdict as { disco_ts?: JobSpec }).disco_ts;
  if (spec !== undefined) return spec;
  throw new DiscoError("the job pack was not made by disco-mapreduce: its functions are in another language", {
    code: "bad-job-pack",
    hint: "JobPack.read tells what is in it: JobPack.read(await disco.jobspec(job)).",
  });
}

function isFlat(stages: readonly StagePlan[]): boolean {
  const names = stages.map(({ name, kind }) => `${name}:${kind}`).join();
  return ["map:map", "reduce:reduce", "map:map,reduce:reduce"].includes(names);
}

function flatOptions(stages: readonly StagePlan[], fn: (ref: FnRef) => JobFunction): Record<string, unknown> {
  const map = stages.find(({ kind }) => kind === "map");
  const reduce = stages.find(({ kind }) => kind === "reduce");
  const options: Record<string, unknown> = {};
  for (const [name, stage] of [
    ["map", map],
    ["reduce", reduce],
  ] as const) {
    if (stage === undefined) continue;
    options[name] = fn(stage.fn);
    options[`${name}Init`] = optional(stage.init, fn);
    options[`${name}InputStream`] = list(stage.inputStream.slice(0, -1), fn);
    options[`${name}Reader`] = optional(stage.inputStream.at(-1) ?? null, fn);
    options[`${name}OutputStream`] = list(stage.outputStream, fn);
    options[`${name}Writer`] = optional(stage.writer, fn);
  }
  if (map !== undefined) {
    options["partitions"] = map.partitions;
    options["combiner"] = optional(map.combiner, fn);
    options["partition"] = optional(map.partition, fn);
  }
  if (reduce !== undefined) {
    options["sort"] = reduce.sort;
    if (map !== undefined && reduce.grouping === "group_all" && (map.partitions ?? 1) > 1)
      options["mergePartitions"] = true;
  }
  return options;
}

function stageOptions(stage: StagePlan, fn: (ref: FnRef) => JobFunction): Record<string, unknown> {
  return withoutUndefined({
    name: stage.name,
    grouping: stage.grouping,
    [stage.kind]: fn(stage.fn),
    init: optional(stage.init, fn),
    combiner: optional(stage.combiner, fn),
    partition: optional(stage.partition, fn),
    partitions: stage.partitions,
    sort: stage.kind === "map" ? undefined : stage.sort,
    inputStream: list(stage.inputStream.slice(0, -1), fn),
    reader: optional(stage.inputStream.at(-1) ?? null, fn),
    outputStream: list(stage.outputStream, fn),
    concurrency: stage.concurrency,
  });
}

function optional(ref: FnRef | null, fn: (ref: FnRef) => JobFunction): JobFunction | undefined {
  return ref === null ? undefined : fn(ref);
}

function list(refs: readonly FnRef[], fn: (ref: FnRef) => JobFunction): JobFunction[] | undefined {
  return refs.length === 0 ? undefined : refs.map(fn);
}

function withoutUndefined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
