/** Jobs, their results and out-of-band values. */
import type { JobInfo, JobListEntry, MasterApi } from "../../../client/master-api.ts";
import { microsOf } from "../../../core/job/name.ts";
import { DiscoError } from "../../../errors.ts";
import {
  cleanJob,
  followProgress,
  getJob,
  getJobPack,
  getOob,
  getResults,
  getStageResults,
  jobsWithStagesMax,
  killJob,
  listJobs,
  listOob,
  purgeJob,
  submitJob,
} from "../../../protocol/api/jobs.ts";
import { heldResults } from "../held-results.ts";
import { submitBody } from "../pack-upload.ts";
import { serve } from "./call.ts";
import { sendEvents, sendFile } from "./streamed.ts";

export const jobOperations = [
  serve(submitJob, async ({ master, request, options, headers }) => {
    const { "idempotency-key": idempotencyKey } = headers;
    return { name: await submitBody(request, master, { bytesMax: options.packBytesMax, idempotencyKey }) };
  }),

  serve(listJobs, async ({ master, query }) => {
    const { status, prefix = "", after, limit } = query;
    const jobs = behind(await master.jobList(), after).filter(
      (job) => (status === undefined || job.status === status) && job.name.startsWith(prefix),
    );
    const page = jobs.slice(0, query.stages === true ? Math.min(limit, jobsWithStagesMax) : limit);
    const listed = query.stages === true ? await Promise.all(page.map((job) => withStages(job, master))) : page;
    return { jobs: listed, next: jobs.length > page.length ? (page.at(-1)?.name ?? null) : null };
  }),

  serve(getJob, ({ master, params }) => master.jobInfo(params.name)),

  serve(getJobPack, async ({ master, params, response }) => {
    await sendFile(response, await master.packFile(params.name), () => goneWithJob("job pack", params.name));
  }),

  serve(getStageResults, async ({ master, params }) => ({
    results: await master.stageResults(params.name, params.stage),
  })),

  serve(getResults, async ({ master, body, signal }) => ({
    results: await heldResults(master, body.names, body.timeoutMs, signal),
  })),

  serve(followProgress, async ({ master, params, query, response, signal, options }) => {
    const states = master.progress(params.name, { intervalMs: query.interval, signal });
    await sendEvents(response, progressItems(states), { signal, heartbeatMs: options.heartbeatMs });
  }),

  serve(listOob, async ({ master, params }) => ({ keys: await master.oobList(params.name) })),

  serve(getOob, async ({ master, params, response }) => {
    const file = await master.oobFile(params.name, params.key);
    await sendFile(response, file, () => goneWithJob(`out-of-band value ${params.key}`, params.name));
  }),

  serve(killJob, ({ master, params, body }) => master.kill(params.name, body?.reason)),
  serve(cleanJob, ({ master, params }) => master.clean(params.name)),
  serve(purgeJob, ({ master, params }) => master.purge(params.name)),
];

async function withStages(job: JobListEntry, master: MasterApi) {
  const over = new AbortController();
  try {
    for await (const { stages, endedAt } of master.progress(job.name, { signal: over.signal })) {
      return { ...job, stages: [...stages], endedAt };
    }
  } catch (error) {
    // Cleaned since the list was made.
    if (!(error instanceof DiscoError && error.code === "unknown-job")) throw error;
  } finally {
    over.abort();
  }
  return job;
}

/** The rest of a list, which is sorted from the newest job to the oldest, behind a job that may be gone meanwhile. */
function behind(jobs: readonly JobListEntry[], after: string | undefined): readonly JobListEntry[] {
  if (after === undefined) return jobs;
  const at = jobs.findIndex(({ name }) => name === after);
  if (at >= 0) return jobs.slice(at + 1);
  const micros = microsOf(after);
  if (micros === null) {
    throw new DiscoError(`after: ${after} is not the unique name of a job`, {
      code: "bad-parameter",
      hint: "Give `next` of the page before.",
    });
  }
  const older = jobs.findIndex(({ name }) => (microsOf(name) ?? 0) < micros);
  return older < 0 ? [] : jobs.slice(older);
}

async function* progressItems(states: AsyncIterable<JobInfo>): AsyncGenerator<{ data: Omit<JobInfo, "inputs"> }> {
  for await (const { inputs: _, ...state } of states) {
    yield { data: { ...state, results: state.status === "active" ? [] : state.results } };
  }
}

function goneWithJob(what: string, job: string): DiscoError {
  return new DiscoError(`the ${what} of ${job} is not there any more`, { code: "unknown-job", job });
}
