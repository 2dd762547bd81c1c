/**
 * From a job pack to what the master needs of it, or the reason why not. All of a pack is checked that can be without running it: its
 * header, Disco's keys, our own specification where it has one, and the directory of its files.
 *
 * A job of ours is one whose worker is this package's. It usually says all about itself under `disco_ts`; one that has Disco's
 * keys alone gets our defaults for the rest.
 */
import type { JobSpec, StageSpec } from "../core/job/spec.ts";
import { JobError } from "../errors.ts";
import { decodeJobPack, type JobDictJson, type JobPackVersion, jobSpecOf } from "../protocol/jobpack.ts";
import { type DiscoJob, ownWorker, readDiscoDict } from "../protocol/jobpack-dict.ts";
import { readPackSummary } from "../protocol/jobpack-file.ts";
import { listZip } from "../protocol/jobpack-zip.ts";
import { checkSpec } from "./spec-check.ts";

/** As the client's own. */
const defaults = { retries: 3, taskTimeoutMs: null, memoryLimitBytes: 1024 ** 3, labels: {}, keep: false } as const;
/** Stages of Disco's that bring outputs together: ours read them where they lie. */
const shuffles: ReadonlySet<string> = new Set(["map_shuffle", "reduce_shuffle"]);

/** @throws JobError `bad-jobpack`; `unsupported-worker` for a job that is well-formed and needs another program */
export function acceptPack(pack: Uint8Array): JobSpec {
  const { jobdict, version, jobhome } = decodeJobPack(pack);
  listZip(jobhome);
  return specOf(jobdict, version);
}

/** As `acceptPack`, with a pack that is a file: its files and the job's data, which are most of it, are not read. */
export async function acceptPackFile(file: string): Promise<{ spec: JobSpec; bytes: number }> {
  const { jobdict, header, size } = await readPackSummary(file);
  return { spec: specOf(jobdict, header.version), bytes: size };
}

function specOf(jobdict: JobDictJson, version: JobPackVersion): JobSpec {
  const job = readDiscoDict(jobdict, version);
  if (job.worker !== ownWorker) {
    throw new JobError(`the job pack is refused: its worker is ${JSON.stringify(job.worker)}, a program of its own`, {
      code: "unsupported-worker",
      hint: "This version runs jobs of disco-mapreduce; workers of Disco's Python library come with a later release.",
    });
  }
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
  const { prefix, owner, inputs, pipeline, maxCores, forceLocal, forceRemote } = job;
  const stages = version === 1 ? pipeline.filter(({ name }) => !shuffles.has(name)) : pipeline;
  return {
    prefix,
    owner,
    inputs: inputs.map((input) => ({ ...input, hosts: input.replicas.map(hostOf) })),
    pipeline: stages.map(({ name, grouping }): StageSpec => ({ name, grouping })),
    scheduler: { maxCores, forceLocal, forceRemote },
    ...defaults,
  };
}

/** The node that holds the data of an address. */
function hostOf(url: string): string | null {
  const [, authority, path] = /^(?:disco|dir):\/\/([^/:]+)(?::\d+)?(\/.*)?$/s.exec(url) ?? [];
  if (authority === undefined) return null;
  return /^\/disco\/([^/]+)\//.exec(path ?? "")?.[1] ?? authority;
}
