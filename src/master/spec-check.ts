/**
 * Is this a `JobSpec`? The client makes good ones; the master still looks, since a job pack may come from anywhere, and since a
 * bad one that gets into the journal stays there.
 */
import { groupings, type JobSpec } from "../core/job/spec.ts";
import { JobError } from "../errors.ts";

const inputsMax = 1_000_000;
const replicasMax = 64;
const addressCharsMax = 64 * 1024;
const stagesMax = 100;
const labelsMax = 1_000;
const labelMax = 2 ** 31 - 1;
const memoryBytesMin = 32 * 1024 * 1024;

const prefixPattern = /^[a-zA-Z0-9_]{1,100}$/;
/** Down from the job's home, and never out of it. */
const workerPattern = /^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[^\0]{1,4096}$/s;
/** Stage names are part of file names, and of those of blobs, which have no dots. */
const stagePattern = /^[a-zA-Z0-9_-]{1,100}$/;
/** Where the worker is the job's own, its blobs are called otherwise. */
const foreignStagePattern = /^[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,99}$/;

/** Throws what is wrong with the spec, with the path to it. */
export function checkSpec(value: unknown): JobSpec {
  const spec = record(value, "the job's specification");
  const prefix = string(spec["prefix"], "prefix");
  if (!prefixPattern.test(prefix)) {
    throw bad(`invalid prefix: ${show(prefix)}: 1 to 100 characters of a-z, A-Z, 0-9 and _ were expected`);
  }
  string(spec["owner"], "owner");
  list(spec["inputs"], "inputs", inputsMax).forEach(checkInput);
  checkPipeline(list(spec["pipeline"], "pipeline", stagesMax), spec["worker"] !== undefined);
  const scheduler = record(spec["scheduler"], "scheduler");
  integer(scheduler["maxCores"], "scheduler.maxCores", 1);
  boolean(scheduler["forceLocal"], "scheduler.forceLocal");
  boolean(scheduler["forceRemote"], "scheduler.forceRemote");
  if (scheduler["forceLocal"] === true && scheduler["forceRemote"] === true) {
    throw bad("scheduler.forceLocal and scheduler.forceRemote exclude each other");
  }
  integer(spec["retries"], "retries", 0);
  if (spec["taskTimeoutMs"] !== null) integer(spec["taskTimeoutMs"], "taskTimeoutMs", 1);
  integer(spec["memoryLimitBytes"], "memoryLimitBytes", memoryBytesMin);
  const labels = record(spec["labels"], "labels");
  if (Object.keys(labels).length > labelsMax) throw bad(`labels: at most ${labelsMax} are allowed`);
  for (const [name, label] of Object.entries(labels)) string(label, `labels.${name}`);
  boolean(spec["keep"], "keep");
  if (spec["worker"] !== undefined) {
    const worker = record(spec["worker"], "worker");
    string(worker["path"], "worker.path", workerPattern);
    if (worker["packVersion"] !== 1 && worker["packVersion"] !== 2) {
      throw bad(`worker.packVersion: 1 or 2 expected, ${show(worker["packVersion"])} received`);
    }
  }
  if (spec["save"] !== undefined) {
    const save = record(spec["save"], "save");
    boolean(save["results"], "save.results");
    boolean(save["oob"], "save.oob");
  }
  return value as JobSpec;
}

function checkInput(value: unknown, i: number): void {
  if (isInput(value)) return;
  const where = `inputs[${i}]`;
  const input = record(value, where);
  integer(input["label"], `${where}.label`, 0, labelMax);
  integer(input["size"], `${where}.size`, 0);
  const replicas = list(input["replicas"], `${where}.replicas`, replicasMax);
  const hosts = list(input["hosts"], `${where}.hosts`, replicasMax);
  if (replicas.length === 0) throw bad(`${where}.replicas: at least one address is needed`);
  if (hosts.length !== replicas.length) throw bad(`${where}.hosts: one for each replica is needed`);
  for (const replica of replicas) string(replica, `${where}.replicas`);
  for (const host of hosts) if (host !== null) string(host, `${where}.hosts`);
}

/** Of a million inputs none should cost the text that says where it is. */
function isInput(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { label, size, replicas, hosts } = value as Readonly<Record<string, unknown>>;
  return (
    isNumber(label, labelMax) &&
    isNumber(size, Number.MAX_SAFE_INTEGER) &&
    Array.isArray(replicas) &&
    Array.isArray(hosts) &&
    replicas.length > 0 &&
    replicas.length <= replicasMax &&
    hosts.length === replicas.length &&
    replicas.every(isText) &&
    hosts.every((host) => host === null || isText(host))
  );
}

function isNumber(value: unknown, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.length <= addressCharsMax;
}

function checkPipeline(stages: readonly unknown[], hasWorker: boolean): void {
  if (stages.length === 0) throw bad("pipeline: at least one stage is needed");
  const names = new Set<string>();
  stages.forEach((value, i) => {
    const stage = record(value, `pipeline[${i}]`);
    const name = string(stage["name"], `pipeline[${i}].name`, hasWorker ? foreignStagePattern : stagePattern);
    if (names.has(name)) throw bad(`pipeline[${i}].name: two stages are called ${JSON.stringify(name)}`);
    names.add(name);
    if (!(groupings as readonly unknown[]).includes(stage["grouping"])) {
      throw bad(
        `pipeline[${i}].grouping: one of ${groupings.join(", ")} expected, ${show(stage["grouping"])} received`,
      );
    }
    // Our own workers know all of their inputs when they begin.
    if (stage["concurrent"] !== undefined && !(hasWorker && stage["concurrent"] === true)) {
      throw bad(`pipeline[${i}].concurrent: only stages of a job with a worker of its own may be`);
    }
  });
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw bad(`${where}: an object expected, ${show(value)} received`);
}

function list(value: unknown, where: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(`${where}: a list expected, ${show(value)} received`);
  if (value.length > max) throw bad(`${where}: at most ${max} are allowed, ${value.length} received`);
  return value;
}

function string(value: unknown, where: string, pattern?: RegExp): string {
  if (typeof value !== "string") throw bad(`${where}: a string expected, ${show(value)} received`);
  if (value.length > addressCharsMax) throw bad(`${where}: longer than ${addressCharsMax} characters`);
  if (pattern !== undefined && !pattern.test(value))
    throw bad(`${where}: ${show(value)} does not match ${pattern.source}`);
  return value;
}

function integer(value: unknown, where: string, min: number, max: number = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return;
  throw bad(`${where}: a whole number from ${min} on expected, ${show(value)} received`);
}

function boolean(value: unknown, where: string): void {
  if (typeof value !== "boolean") throw bad(`${where}: true or false expected, ${show(value)} received`);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 100);
}

function bad(reason: string): JobError {
  return new JobError(`the job pack is refused: ${reason}`, { code: "bad-jobpack" });
}
