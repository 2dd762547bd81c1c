/**
 * What a job dict of Disco's says, of either version, as one shape: what the master of Disco 0.5 reads of it (`jobpack.erl`).
 *
 * Version 1 is the classic worker's: the pipeline follows from whether it has a map and a reduce, and into how many partitions. Version 2
 * names its stages.
 */
import { type Grouping, groupings } from "../core/job/spec.ts";
import { JobError } from "../errors.ts";
import { foreignWorkerPath } from "./foreign-home.ts";
import type { JobDictJson, JobPackVersion } from "./jobpack.ts";

export interface DiscoJob {
  readonly prefix: string;
  readonly owner: string;
  /** Path of the worker's executable in the job home, without detours; `ownWorker` for jobs of this package. */
  readonly worker: string;
  readonly inputs: readonly DiscoInput[];
  readonly pipeline: readonly DiscoStage[];
  readonly maxCores: number;
  readonly forceLocal: boolean;
  readonly forceRemote: boolean;
  /** Results shall become a tag. */
  readonly saveResults: boolean;
}

export interface DiscoInput {
  readonly label: number;
  /** Bytes; 0: not known. */
  readonly size: number;
  /** Addresses with the same data, at least one. */
  readonly replicas: readonly string[];
}

export interface DiscoStage {
  readonly name: string;
  readonly grouping: Grouping;
  /** It may begin before the stage before has ended. */
  readonly concurrent: boolean;
}

/** The worker that job dicts of this package name. */
export const ownWorker = "disco-mapreduce";

const inputsMax = 1_000_000;
const replicasMax = 64;
const stagesMax = 100;
const textCharsMax = 64 * 1024;
const defaultMaxCores = 2 ** 31;

/** @throws JobError `bad-jobpack`, naming the key */
export function readDiscoDict(dict: JobDictJson, version: JobPackVersion): DiscoJob {
  const scheduler = object(dict["scheduler"] ?? {}, "scheduler");
  const saveInfo = text(dict["save_info"] ?? "ddfs", "save_info");
  if (!/^(?:ddfs|hdfs)/.test(saveInfo)) throw bad(`invalid save_info: ${shown(saveInfo)}`);
  const saveResults = flag(dict["save_results"] ?? false, "save_results");
  if (saveResults && saveInfo.startsWith("hdfs")) throw bad("save_info: results are saved in DDFS, and not in HDFS");
  const common = {
    prefix: text(dict["prefix"], "prefix"),
    owner: text(dict["owner"], "owner"),
    worker: foreignWorkerPath(text(dict["worker"], "worker")),
    maxCores: whole(scheduler["max_cores"] ?? defaultMaxCores, "scheduler.max_cores", 1),
    saveResults,
    forceLocal: flag(scheduler["force_local"] ?? false, "scheduler.force_local"),
    forceRemote: flag(scheduler["force_remote"] ?? false, "scheduler.force_remote"),
  };
  const rest = version === 1 ? readVersion1(dict) : readVersion2(dict);
  // Both at once: Disco takes the job's data to be meant by the first.
  return { ...common, forceRemote: common.forceRemote && !common.forceLocal, ...rest };
}

function readVersion1(dict: JobDictJson): Pick<DiscoJob, "inputs" | "pipeline"> {
  const hasMap = flag(dict["map?"] ?? false, "map?");
  const hasReduce = flag(dict["reduce?"] ?? false, "reduce?");
  const hasShuffle = flag(dict["reduce_shuffle?"] ?? false, "reduce_shuffle?");
  const reduces = reduceCount(dict["nr_reduces"]);
  const inputs = list(dict["input"], "input", inputsMax).map((input, i): DiscoInput => {
    const where = `input[${i}]`;
    if (typeof input === "string") return { label: 0, size: 0, replicas: [text(input, where)] };
    const replicas = texts(input, where);
    // Disco's jobs give no index in several copies: it reads the first.
    return { label: 0, size: 0, replicas: replicas[0]?.startsWith("dir://") ? replicas.slice(0, 1) : replicas };
  });
  const stage = (name: string, grouping: Grouping): DiscoStage => ({ name, grouping, concurrent: false });
  const pipeline: DiscoStage[] = [];
  if (hasMap) pipeline.push(stage("map", "split"), stage("map_shuffle", "group_node"));
  if (hasReduce) {
    pipeline.push(stage("reduce", reduces === 1 ? "group_all" : "group_label"));
    if (hasShuffle && reduces !== 1) pipeline.push(stage("reduce_shuffle", "group_node"));
  }
  return { inputs, pipeline };
}

function readVersion2(dict: JobDictJson): Pick<DiscoJob, "inputs" | "pipeline"> {
  const names = new Set<string>();
  const pipeline = list(dict["pipeline"], "pipeline", stagesMax).map((entry, i): DiscoStage => {
    const where = `pipeline[${i}]`;
    const stage = list(entry, where, 3);
    if (stage.length !== 3) throw bad(`invalid ${where}: [stage, grouping, concurrent] expected`);
    const name = text(stage[0], `${where}[0]`);
    if (names.has(name)) throw bad(`invalid ${where}: the stage ${shown(name)} is repeated`);
    names.add(name);
    const grouping = groupings.find((known) => known === stage[1]);
    if (grouping === undefined)
      throw bad(`invalid grouping ${shown(stage[1])} in ${where}`, `Groupings are ${groupings.join(", ")}.`);
    return { name, grouping, concurrent: flag(stage[2], `${where}[2]`) };
  });
  const inputs = list(dict["inputs"], "inputs", inputsMax).map((entry, i): DiscoInput => {
    if (isInput(entry)) return { label: entry[0], size: entry[1], replicas: entry[2] };
    const where = `inputs[${i}]`;
    const input = list(entry, where, 3);
    if (input.length !== 3) throw bad(`invalid ${where}: [label, size, [address, …]] expected`);
    const label = whole(input[0], `${where}[0]`, 0);
    return { label, size: whole(input[1], `${where}[1]`, 0), replicas: texts(input[2], `${where}[2]`) };
  });
  return { inputs, pipeline };
}

/** Of a million inputs none should cost the text that says where it is. */
function isInput(entry: unknown): entry is [label: number, size: number, replicas: string[]] {
  if (!Array.isArray(entry) || entry.length !== 3) return false;
  const [label, size, replicas] = entry as unknown[];
  if (!isWhole(label, 0) || !isWhole(size, 0) || !Array.isArray(replicas)) return false;
  return replicas.length > 0 && replicas.length <= replicasMax && replicas.every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= textCharsMax && !value.includes("\0");
}

function isWhole(value: unknown, min: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min;
}

/** Disco's own tests give it as text. */
function reduceCount(value: unknown): number {
  const number = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return whole(number, "nr_reduces", 0);
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw bad(`invalid ${where}: an object expected, ${shown(value)} received`);
}

function list(value: unknown, where: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(`invalid ${where}: a list expected, ${shown(value)} received`);
  if (value.length > max) throw bad(`invalid ${where}: at most ${max} are allowed, ${value.length} received`);
  return value;
}

function texts(value: unknown, where: string): string[] {
  const all = list(value, where, replicasMax);
  if (all.length === 0) throw bad(`invalid ${where}: at least one address is needed`);
  return all.map((one, i) => text(one, `${where}[${i}]`));
}

function text(value: unknown, where: string): string {
  if (typeof value !== "string") throw bad(`invalid ${where}: a string expected, ${shown(value)} received`);
  if (value.length > textCharsMax) throw bad(`invalid ${where}: longer than ${textCharsMax} characters`);
  if (value.includes("\0")) throw bad(`invalid ${where}: it contains NUL`);
  return value;
}

function whole(value: unknown, where: string, min: number): number {
  if (isWhole(value, min)) return value;
  throw bad(`invalid ${where}: a whole number from ${min} on expected, ${shown(value)} received`);
}

function flag(value: unknown, where: string): boolean {
  if (typeof value === "boolean") return value;
  throw bad(`invalid ${where}: true or false expected, ${shown(value)} received`);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 100);
}

function bad(message: string, hint?: string): JobError {
  return new JobError(message, { code: "bad-jobpack", ...(hint === undefined ? {} : { hint }) });
}
