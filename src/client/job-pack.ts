/** Makes the job pack of a validated job dict: inputs resolved, stages planned, functions shipped, all encoded. */
import { createHash } from "node:crypto";
import type { InputSpec, JobSpec } from "../core/job/spec.ts";
import { DiscoError, JobError } from "../errors.ts";
import type { FnRef, JobData } from "../protocol/job-data.ts";
import { codeKeyName, encodeJobPack, jobDictOf } from "../protocol/jobpack.ts";
import { encodeValue, ValueWriter } from "../protocol/value.ts";
import { shipFunctions } from "../shipping/ship.ts";
import { gzipReader, zstdReader } from "../worker/streams/compressed.ts";
import { inflatingReader } from "../worker/streams/inflating.ts";
import { mapLineReader } from "../worker/streams/lines.ts";
import { badOption } from "./bad-option.ts";
import type { TagSource } from "./ddfs/tag-registry.ts";
import type { JobPlace } from "./engine.ts";
import { externalFiles } from "./external.ts";
import type { PackedPrograms } from "./external-files.ts";
import { resolveInputs } from "./inputs.ts";
import type { AnyJobOptions } from "./job-options.ts";
import { settingsOf } from "./job-settings.ts";
import { assertPortableModules } from "./local-input.ts";
import { jobOwner } from "./owner.ts";
import { FunctionList, hasDefaultReader, type JobFunction, type NamedFunction, planStages, withRefs } from "./plan.ts";
import { readRequiredFiles, resolveRequiredModules } from "./required.ts";
import { splitBytesFor } from "./splitting.ts";

export interface PackOptions {
  /** The code has to run on machines without the submitter's files and packages. */
  readonly portable: boolean;
  /** Overrides the dict's own. */
  readonly prefix?: string;
  /** Addresses of scripts whose V8 ids are known: the callers (`calling-scripts.ts`). */
  readonly scripts?: ReadonlyMap<string, string>;
  /** Who will run the job, when that is known. */
  readonly place?: JobPlace;
  /** Whose tags are meant. */
  readonly tags?: TagSource;
}

/** A job pack with what it tells a master, who need not read it again when it is in this process. */
export interface PackedJob {
  readonly pack: Uint8Array;
  readonly spec: JobSpec;
}

/**
 * @throws JobError for inputs and functions that cannot be sent, naming the culprit
 */
export async function makeJobPack(options: AnyJobOptions, how: PackOptions): Promise<Uint8Array> {
  return (await packJob(options, how)).pack;
}

/** As `makeJobPack`. */
export async function packJob(
  options: AnyJobOptions,
  { portable, prefix, place, tags, scripts }: PackOptions,
): Promise<PackedJob> {
  const settings = settingsOf(options);
  const hasMap = options.map !== undefined || options.pipeline?.[0]?.map !== undefined;
  const { specs, partitioned } = await resolveInputs({
    input: options.input,
    hasMap,
    splitBytes: splitBytesFor(options, settings.splitBytes),
    engine: place,
    tags,
  });
  const requiredModules = resolveRequiredModules(options.requiredModules);
  assertPortableModules(requiredModules, place);
  const fns = new FunctionList();
  const readBefore = hasDefaultReader(options) ? decompressing(specs) : [];
  const required = readRequiredFiles(options.requiredFiles);
  const { files, programOf } = await programsOf(options, required);
  const stages = planStages(options, { partitioned, concurrency: settings.concurrency, readBefore, programOf }, fns);
  const params: object = options.params ?? {};
  // Once to see which functions there are, once more when it is known how they travel.
  encodeParams(params, (fn, path) => fns.add(path, fn));
  const { code, refs, keyed } = await shipFunctions(fns.requests, { portable, scripts });
  const data: JobData = {
    version: 1,
    code,
    stages: stages.map((stage) => withRefs(stage, refs, keyed)),
    params: encodeParams(params, (fn, path) => refs[fns.add(path, fn)] as FnRef),
    statusInterval: settings.statusInterval,
    seed: settings.seed,
    memoryLimitBytes: settings.memoryLimitBytes,
    requiredModules,
    ...(options.profile === true ? { profile: true } : {}),
    argv: process.argv,
  };
  const spec: JobSpec = {
    prefix: prefix ?? settings.prefix,
    owner: jobOwner(),
    inputs: specs,
    pipeline: stages.map(({ name, grouping }) => ({ name, grouping })),
    scheduler: settings.scheduler,
    retries: settings.retries,
    taskTimeoutMs: settings.taskTimeoutMs,
    memoryLimitBytes: settings.memoryLimitBytes,
    labels: settings.labels,
    keep: settings.keep,
    save: { results: options.save === true, oob: true },
  };
  const pack = encodeJobPack({
    jobdict: jobDictOf(spec),
    jobenvs: { [codeKeyName]: codeKey(data) },
    files,
    jobdata: encodeValue(data),
  });
  return { pack, spec };
}

/** The job's external programs, and all of its files. */
async function programsOf(options: AnyJobOptions, required: ReadonlyMap<string, Uint8Array>): Promise<PackedPrograms> {
  const fns = [options.map, options.reduce, ...(options.pipeline ?? []).flatMap(({ map, reduce }) => [map, reduce])];
  if (!fns.some((fn) => externalFiles(fn) !== undefined)) return { files: required, programOf: () => undefined };
  const { packPrograms } = await import("./external-files.ts");
  return packPrograms(options, required);
}

/**
 * Jobs with the same key run the same functions: a node may give them the same worker processes. A profiled job shares none with
 * those that are not: V8 optimises less where it is profiled.
 */
function codeKey({ code, requiredModules, argv, profile = false }: JobData): string {
  return createHash("sha256").update(encodeValue({ code, requiredModules, argv, profile })).digest("base64url");
}

/** Throws `JobError` `bad-value` naming the path of what cannot be sent: `params.cache.get: …`. */
function encodeParams(params: object, onFunction: (fn: JobFunction, path: string) => FnRef): Uint8Array {
  const writer = new ValueWriter(256, { onFunction });
  try {
    writer.write(params, "params");
  } catch (error) {
    if (!(error instanceof DiscoError)) throw error;
    const { code, hint } = error;
    throw new JobError(error.message, { code, cause: error, ...(hint === undefined ? {} : { hint }) });
  }
  return new Uint8Array(writer.bytes());
}

/** Compressed text is read as the text that it is. Of blobs each shows by itself what it is. */
function decompressing(inputs: readonly InputSpec[]): NamedFunction[] {
  const lines = { role: "mapLineReader", fn: mapLineReader };
  if (inputs.some(({ replicas }) => isBlob(replicas[0] ?? ""))) {
    return [{ role: "inflatingReader", fn: inflatingReader }, lines];
  }
  const urls = inputs.flatMap(({ replicas }) => replicas);
  const gzipped = urls.filter((url) => /\.gz$/i.test(url));
  const zstd = urls.filter((url) => /\.zst$/i.test(url));
  if (gzipped.length === 0 && zstd.length === 0) return [];
  if (gzipped.length !== urls.length && zstd.length !== urls.length) {
    const compressed = gzipped[0] ?? zstd[0];
    const other = urls.find((url) => url.endsWith(".gz") !== compressed?.endsWith(".gz"));
    throw badOption(
      `input mixes files of different compression (${compressed}, ${other}), which need different readers`,
      "Run a job for each kind, or give a mapInputStream that looks at the address.",
    );
  }
  const [role, fn] = gzipped.length > 0 ? (["gzipReader", gzipReader] as const) : (["zstdReader", zstdReader] as const);
  return [{ role, fn }, lines];
}

function isBlob(url: string): boolean {
  return /^(?:disco:\/\/[^/]+\/(?:proxy\/[^/]+\/GET\/)?ddfs|s3:\/)\//.test(url);
}
