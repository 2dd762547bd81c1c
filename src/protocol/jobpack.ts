/**
 * Disco's job pack: how a job reaches the master, and from there each node. (Disco 0.5: `job.py`, `jobpack.erl`.)
 *
 *     0    u32 0xd5c00000 | version     big-endian, like the four offsets that follow
 *     4    u32 jobdict, jobenvs, jobhome, jobdata     offsets from the start of the pack, ascending
 *     20   zeros up to 128
 *     128  jobdict    JSON object: what the master reads
 *          jobenvs    JSON object of strings: environment of the workers
 *          jobhome    zip archive: files for the workers' directory
 *          jobdata    opaque, for the worker alone; to the end
 *
 * Version 1 is the classic worker's (`input`, `nr_reduces`), version 2 the pipeline worker's (`pipeline`, `inputs`). Ours are
 * version 2, with the whole `JobSpec` as jobdict key `disco_ts` besides Disco's own keys.
 */
import type { JobSpec } from "../core/job/spec.ts";
import { JobError } from "../errors.ts";
import { type HomeFile, readZip, writeZip } from "./jobpack-zip.ts";

export type JobPackVersion = 1 | 2;
export type JobDictJson = Readonly<Record<string, unknown>>;

export interface JobPackParts {
  readonly jobdict: JobDictJson;
  readonly jobenvs: Readonly<Record<string, string>>;
  /** By their paths in the job home, with `/` between folders. */
  readonly files: ReadonlyMap<string, HomeFile> | Readonly<Record<string, HomeFile>>;
  readonly jobdata: Uint8Array;
  /** Default 2. */
  readonly version?: JobPackVersion;
}

export interface DecodedPack {
  readonly version: JobPackVersion;
  readonly jobdict: JobDictJson;
  readonly jobenvs: Readonly<Record<string, string>>;
  /** Bytes of the zip archive, unread; may be empty. */
  readonly jobhome: Uint8Array;
  readonly jobdata: Uint8Array;
  /** Reads `jobhome`; checked and bounded. Names may have folders in packs of other clients. @throws JobError `bad-jobpack` */
  files(): Map<string, Uint8Array>;
}

/** In `jobenvs`: equal for jobs with the same code, which may share worker processes. */
export const codeKeyName = "DISCO_CODE_KEY";

/** Disco's limit for a POST body (1 GiB): larger packs are refused on both sides. */
export const jobPackBytesMax = 1024 ** 3;
const magic = 0xd5c0_0000;
const magicMask = 0xffff_ff00;
export const packHeaderBytes = 128;
const requiredKeys: Readonly<Record<JobPackVersion, readonly string[]>> = {
  1: ["prefix", "owner", "worker", "input", "scheduler", "nr_reduces"],
  2: ["prefix", "owner", "worker", "pipeline", "inputs"],
};

/** @throws JobError `bad-jobpack` when the pack would be larger than `jobPackBytesMax` or a file's name is not allowed. */
export function encodeJobPack({ jobdict, jobenvs, files, jobdata, version = 2 }: JobPackParts): Uint8Array {
  const dict = Buffer.from(JSON.stringify(jobdict));
  const envs = Buffer.from(JSON.stringify(jobenvs));
  const home = writeZip(files instanceof Map ? files : new Map(Object.entries(files)));
  const header = Buffer.alloc(packHeaderBytes);
  const envsAt = packHeaderBytes + dict.length;
  const homeAt = envsAt + envs.length;
  const dataAt = homeAt + home.length;
  const total = dataAt + jobdata.length;
  if (total > jobPackBytesMax) {
    throw bad(
      `the job pack has ${total} bytes, the limit is ${jobPackBytesMax}`,
      "Give large data as inputs, not in params or requiredFiles.",
    );
  }
  header.writeUInt32BE((magic | version) >>> 0, 0);
  for (const [index, offset] of [packHeaderBytes, envsAt, homeAt, dataAt].entries())
    header.writeUInt32BE(offset, 4 + 4 * index);
  return Buffer.concat([header, dict, envs, home, jobdata], total);
}

/**
 * Takes a job pack apart and checks its form, not its meaning.
 * @throws JobError `bad-jobpack`: `invalid header`, `missing key`, `invalid prefix` (texts that Disco's own tests assert) …
 */
export function decodeJobPack(bytes: Uint8Array): DecodedPack {
  const opened = openJobPack(bytes);
  return { ...opened, jobdict: readJobDict(opened.dict, opened.version) };
}

/** @throws JobError `bad-jobpack` */
export function readJobDict(bytes: Buffer, version: JobPackVersion): JobDictJson {
  const jobdict = readObject(bytes, "jobdict");
  checkJobDict(jobdict, version);
  return jobdict;
}

/** Whether Disco's keys are there. What they say is `readDiscoDict`'s to check. @throws JobError `bad-jobpack` */
export function checkJobDict(jobdict: JobDictJson, version: JobPackVersion): void {
  for (const key of requiredKeys[version]) {
    if (!Object.hasOwn(jobdict, key)) throw bad(`missing key: ${JSON.stringify(key)} in jobdict`);
  }
  const { prefix } = jobdict;
  if (typeof prefix !== "string" || prefix === "" || /[/.\p{Cc}]/u.test(prefix))
    throw bad(`invalid prefix: ${JSON.stringify(prefix)}`, "It begins the job's name: text without / and .");
}

/** @throws JobError `bad-jobpack` */
export function readJobEnvs(bytes: Buffer): Readonly<Record<string, string>> {
  const jobenvs = readObject(bytes, "jobenvs");
  for (const [name, value] of Object.entries(jobenvs)) {
    if (typeof value !== "string") throw bad(`invalid jobenvs: ${JSON.stringify(name)} is not a string`);
  }
  return jobenvs as Record<string, string>;
}

/**
 * As `decodeJobPack`, without the job dict: it lists every input, and nodes and workers, which need none of it, would spend
 * most of their time with a short job of many inputs on reading it.
 * @throws JobError `bad-jobpack`
 */
export function openJobPack(bytes: Uint8Array): Omit<DecodedPack, "jobdict"> & { readonly dict: Buffer } {
  const pack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { version, dictAt, envsAt, homeAt, dataAt } = readPackHeader(pack.subarray(0, packHeaderBytes), pack.length);
  const jobhome = pack.subarray(homeAt, dataAt);
  return {
    version,
    dict: pack.subarray(dictAt, envsAt),
    jobenvs: readJobEnvs(pack.subarray(envsAt, homeAt)),
    jobhome,
    jobdata: pack.subarray(dataAt),
    files: () => readZip(jobhome),
  };
}

/** Disco's own keys for a job of ours, so that any reader of the pack copes, and ours beside them. */
export function jobDictOf(spec: JobSpec): JobDictJson {
  return {
    prefix: spec.prefix,
    owner: spec.owner,
    worker: "disco-mapreduce",
    pipeline: spec.pipeline.map(({ name, grouping }) => [name, grouping, false]),
    inputs: spec.inputs.map(({ label, size, replicas }) => [label, size, replicas]),
    save_results: spec.save?.results ?? false,
    scheduler: {
      max_cores: spec.scheduler.maxCores,
      force_local: spec.scheduler.forceLocal,
      force_remote: spec.scheduler.forceRemote,
    },
    disco_ts: spec,
  };
}

/** The `JobSpec` of a pack that this package made; `undefined` for packs of other clients. Its form is not checked. */
export function jobSpecOf(jobdict: JobDictJson): JobSpec | undefined {
  const spec = jobdict.disco_ts;
  return typeof spec === "object" && spec !== null ? (spec as JobSpec) : undefined;
}

/** Where the parts of a pack begin; each ends where the next one begins. */
export interface PackHeader {
  readonly version: JobPackVersion;
  readonly dictAt: number;
  readonly envsAt: number;
  readonly homeAt: number;
  readonly dataAt: number;
}

/** Reads the first `packHeaderBytes` of a pack of `size` bytes. @throws JobError `bad-jobpack` */
export function readPackHeader(header: Buffer, size: number): PackHeader {
  if (size > jobPackBytesMax) throw bad(`the job pack has ${size} bytes, the limit is ${jobPackBytesMax}`);
  if (header.length < packHeaderBytes) throw bad(`invalid header: ${header.length} bytes, ${packHeaderBytes} expected`);
  const word = header.readUInt32BE(0);
  if ((word & magicMask) >>> 0 !== magic) throw bad("invalid header: this is not a job pack");
  const version = word & ~magicMask;
  if (version !== 1 && version !== 2) throw bad(`invalid header: version ${version} is not known, 1 and 2 are`);
  const [dictAt, envsAt, homeAt, dataAt] = [4, 8, 12, 16].map((at) => header.readUInt32BE(at)) as [
    number,
    number,
    number,
    number,
  ];
  if (dictAt !== packHeaderBytes || envsAt <= dictAt || homeAt < envsAt || dataAt < homeAt || dataAt > size) {
    throw bad(`invalid header: offsets ${[dictAt, envsAt, homeAt, dataAt].join(", ")} in ${size} bytes`);
  }
  return { version, dictAt, envsAt, homeAt, dataAt };
}

function readObject(bytes: Buffer, part: string): JobDictJson {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw bad(`invalid ${part}: it is not JSON`, undefined, cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw bad(`invalid ${part}: it is not an object`);
  return value as JobDictJson;
}

function bad(message: string, hint?: string, cause?: unknown): JobError {
  return new JobError(message, { code: "bad-jobpack", ...(hint === undefined ? {} : { hint }), cause });
}
