/**
 * From a job pack to what the master needs of it, or the reason why not. All of a pack is checked that can be without running it: its
 * header, Disco's keys, our own specification where it has one, and the directory of its files.
 *
 * A job of ours is one whose worker is this package's. It usually says all about itself under `disco_ts`; one that has Disco's
 * keys alone gets our defaults for the rest. Every other job brings its worker along, a program among its files, and gets all
 * stages that Disco would give it.
 */
import type { JobSpec, StageSpec } from "../core/job/spec.ts";
import { JobError } from "../errors.ts";
import { checkForeignHome } from "../protocol/foreign-home.ts";
import { decodeJobPack, type JobDictJson, type JobPackVersion, jobSpecOf } from "../protocol/jobpack.ts";
import { type DiscoJob, ownWorker, readDiscoDict } from "../protocol/jobpack-dict.ts";
import { readPackSummary } from "../protocol/jobpack-file.ts";
import { listZip } from "../protocol/jobpack-zip.ts";
import { checkSpec } from "./spec-check.ts";

/** As the client's own. */
const ownDefaults = { retries: 3, taskTimeoutMs: null, memoryLimitBytes: 1024 ** 3, labels: {}, keep: false } as const;
/**
 * Of jobs that bring their worker along, as in Disco: the operator says how often a task is tried again (`max_failure_rate`), a node
 * how much memory a process may have, since neither is in a pack; files stay until the job is purged, or too old.
 */
const foreignDefaults = {
  retries: 100,
  taskTimeoutMs: null,
  memoryLimitBytes: 1024 ** 4,
  labels: {},
  keep: true,
} as const;
/** Stages of Disco's that bring outputs together: ours read them where they lie. */
const shuffles: ReadonlySet<string> = new Set(["map_shuffle", "reduce_shuffle"]);

/**
 * Inputs of version 1 that are indexes are left as they are (`index-inputs.ts`).
 * @throws JobError `bad-jobpack`
 */
export function acceptPack(pack: Uint8Array): JobSpec {
  const { jobdict, version, jobhome } = decodeJobPack(pack);
  return specOf(jobdict, version, listZip(jobhome));
}

/** As `acceptPack`, with a pack that is a file: its files and the job's data, which are most of it, are not read. */
export async function acceptPackFile(file: string): Promise<{ spec: JobSpec; bytes: number }> {
  const { jobdict, header, files, size } = await readPackSummary(file);
  return { spec: specOf(jobdict, header.version, files), bytes: size };
}

function specOf(jobdict: JobDictJson, version: JobPackVersion, files: readonly { readonly name: string }[]): JobSpec {
  const job = readDiscoDict(jobdict, version);
  if (job.worker !== ownWorker) return foreignSpec(job, version, files);
  const own = checkSpec(jobSpecOf(jobdict) ?? derived(job, version));
  // Clients of before DDFS did not say; out-of-band values are kept of every job that has some.
  const spec: JobSpec = { ...own, save: own.save ?? { results: job.saveResults, oob: true } };
  assertSame("prefix", job.prefix, spec.prefix);
  assertSame("owner", job.owner, spec.owner);
  assertSame("save_results", String(job.saveResults), String(spec.save?.results ?? false));
  assertSame("the number of inputs", job.inputs.length, spec.inputs.length);
  if (version === 2) assertSame("pipeline", ...([job, spec].map(pipelineText) as [string, string]));
  return spec;
}

/** Whoever reads Disco's keys must not see another job than the one that runs. */
function assertSame(what: string, disco: string | number, own: string | number): void {
  if (disco === own) return;
  const both = `${JSON.stringify(disco)} and ${JSON.stringify(own)}`;
  throw new JobError(`the job pack is refused: it has two values for ${what}, ${both}`, { code: "bad-jobpack" });
}

function pipelineText({ pipeline }: { readonly pipeline: readonly Pick<StageSpec, "name" | "grouping">[] }): string {
  return pipeline.map(({ name, grouping }) => `${name} ${grouping}`).join(", ");
}

function derived(job: DiscoJob, version: JobPackVersion): JobSpec {
  const stages = version === 1 ? job.pipeline.filter(({ name }) => !shuffles.has(name)) : job.pipeline;
  const inputs = job.inputs.map((input) => ({ ...input, hosts: input.replicas.map(hostOf) }));
  return { ...commonOf(job, inputs, stages.map(stageOf)), ...ownDefaults };
}

function foreignSpec(job: DiscoJob, version: JobPackVersion, files: readonly { readonly name: string }[]): JobSpec {
  checkForeignHome(files, job.worker);
  const toHost = job.forceLocal ? hostOf : groupHostOf;
  const inputs = job.inputs.map((input) => ({ ...input, hosts: input.replicas.map(toHost) }));
  const stages = job.pipeline.map(
    (stage): StageSpec => ({ ...stageOf(stage), ...(stage.concurrent ? { concurrent: true } : {}) }),
  );
  return checkSpec({
    ...commonOf(job, inputs, stages),
    ...foreignDefaults,
    worker: { path: job.worker, packVersion: version },
    save: { results: job.saveResults, oob: false },
  } satisfies JobSpec);
}

type CommonSpec = Pick<JobSpec, "prefix" | "owner" | "inputs" | "pipeline" | "scheduler">;

function commonOf(job: DiscoJob, inputs: JobSpec["inputs"], pipeline: JobSpec["pipeline"]): CommonSpec {
  const { prefix, owner, maxCores, forceLocal, forceRemote } = job;
  return { prefix, owner, inputs, pipeline, scheduler: { maxCores, forceLocal, forceRemote } };
}

function stageOf({ name, grouping }: DiscoJob["pipeline"][number]): StageSpec {
  return { name, grouping };
}

/**
 * What Disco takes for the place of an input, and groups by: whatever stands where a host does, be it the text of `raw://TEXT`. With
 * `force_local` it would wait for a node of that name.
 */
function groupHostOf(url: string): string | null {
  return hostOf(url) ?? /^[a-zA-Z0-9]+:\/\/([^/:\s]{1,255})/.exec(url)?.[1] ?? null;
}

/** The node that holds the data of an address. */
function hostOf(url: string): string | null {
  const [, authority, path] = /^(?:disco|dir):\/\/([^/:]+)(?::\d+)?(\/.*)?$/s.exec(url) ?? [];
  if (authority === undefined) return null;
  return /^\/disco\/([^/]+)\//.exec(path ?? "")?.[1] ?? authority;
}
