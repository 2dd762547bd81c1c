/** Jobs: submission, list, state, pack, results, out-of-band values, end. */
import * as v from "valibot";
import { taskFailure } from "./errors.ts";
import { operation } from "./operation.ts";
import { count, jobName, jobParams, jobStatus, noParameters, oobKey, stageName, time, wholeNumber } from "./values.ts";

/** Jobs a page of the list. */
export const jobsPageMax = 10_000;
export const jobsPageDefault = 1_000;
/** Jobs a page of the list with their stages. */
export const jobsWithStagesMax = 200;
/** Names in one question for results. */
export const resultNamesMax = 10_000;
/** The longest that a question for results is held, in milliseconds. */
export const resultsHeldMsMax = 3_600_000;

export const stageInfo = v.object({
  stage: v.string(),
  tasks: v.pipe(count, v.description("0: not known yet.")),
  waiting: count,
  queued: v.pipe(count, v.description("Given to a node, and not begun there.")),
  running: count,
  done: count,
  failed: v.pipe(count, v.description("Failed attempts.")),
  recordsIn: count,
  recordsOut: count,
  bytesIn: count,
  bytesTotal: v.pipe(count, v.description("Bytes of all inputs of the stage; 0: not known.")),
});

export const jobListEntry = v.object({ name: v.string(), status: jobStatus, submittedAt: time });

export const listedJob = v.object({
  ...jobListEntry.entries,
  stages: v.exactOptional(v.pipe(v.array(stageInfo), v.description("When asked for."))),
  endedAt: v.exactOptional(v.pipe(v.nullable(time), v.description("With the stages; null: it has not."))),
});

export const jobPage = v.object({
  jobs: v.array(listedJob),
  next: v.pipe(v.nullable(v.string()), v.description("`after` of the next page; null: this was the last.")),
});

const progressEntries = {
  name: v.string(),
  status: jobStatus,
  owner: v.string(),
  worker: v.exactOptional(
    v.pipe(v.string(), v.description("Of a job that brings its worker along: the program's path among its files.")),
  ),
  submittedAt: time,
  endedAt: v.nullable(time),
  stages: v.array(stageInfo),
  results: v.array(v.string()),
  hosts: v.pipe(v.array(v.string()), v.description("Names of nodes, one for each running task.")),
  waits: v.pipe(v.array(v.string()), v.description("Why tasks that could run do not.")),
  reason: v.pipe(v.nullable(v.string()), v.description("Why the job is dead.")),
  failure: v.nullable(taskFailure),
  peakRss: v.pipe(v.number(), v.description("Peak resident memory of any of its worker processes, in bytes.")),
};

export const jobInfo = v.object({ ...progressEntries, inputs: v.array(v.string()) });

/** As `jobInfo`, for those who get it often: without inputs, and with results only when the job has ended. */
export const jobProgress = v.object(progressEntries);

export const jobResult = v.object({
  name: v.string(),
  status: v.picklist(["active", "ready", "dead", "unknown_job"]),
  results: v.array(v.string()),
  reason: v.nullable(v.string()),
  failure: v.nullable(taskFailure),
});

export const listJobs = operation({
  id: "listJobs",
  method: "GET",
  path: "/jobs",
  scope: "read",
  summary: "All jobs that the master knows, the newest first, by pages.",
  params: noParameters,
  query: v.strictObject({
    status: v.exactOptional(jobStatus),
    prefix: v.exactOptional(v.pipe(v.string(), v.maxLength(200), v.description("What names begin with."))),
    limit: v.exactOptional(wholeNumber(1, jobsPageMax), jobsPageDefault),
    stages: v.exactOptional(
      v.pipe(v.boolean(), v.description(`With the stages of each job; at most ${jobsWithStagesMax} jobs a page.`)),
    ),
    after: v.exactOptional(v.pipe(jobName, v.description("Go on behind this job: `next` of the page before."))),
  }),
  answer: { kind: "json", status: 200, schema: jobPage },
});

export const submitJob = operation({
  id: "submitJob",
  method: "POST",
  path: "/jobs",
  scope: "submit",
  summary: "Start a job from its job pack.",
  details:
    "The body is the job pack. With an idempotency key, the same request may be sent again when its answer did not come: it is the same job.",
  params: noParameters,
  query: noParameters,
  headers: v.strictObject({
    "idempotency-key": v.exactOptional(
      v.pipe(
        v.string(),
        v.regex(/^[\x20-\x7e]{1,200}$/, "1 to 200 printable characters"),
        v.description("Unique to what is submitted."),
      ),
    ),
  }),
  body: { kind: "bytes" },
  answer: { kind: "json", status: 201, schema: v.object({ name: jobName }) },
  errors: {
    400: ["bad-jobpack", "bad-pipeline", "bad-input", "no-node", "bad-header"],
    403: ["jobs-not-accepted"],
    413: ["body-too-large"],
    507: ["disk-full"],
  },
});

export const getJob = operation({
  id: "getJob",
  method: "GET",
  path: "/jobs/{name}",
  scope: "read",
  summary: "State of a job: stages, inputs, results, failure.",
  params: jobParams,
  query: noParameters,
  answer: { kind: "json", status: 200, schema: jobInfo },
  errors: { 404: ["unknown-job"] },
});

export const getJobPack = operation({
  id: "getJobPack",
  method: "GET",
  path: "/jobs/{name}/pack",
  scope: "read",
  summary: "The job pack, as it was submitted.",
  params: jobParams,
  query: noParameters,
  answer: { kind: "bytes" },
  errors: { 404: ["unknown-job"] },
});

export const getStageResults = operation({
  id: "getStageResults",
  method: "GET",
  path: "/jobs/{name}/stages/{stage}/results",
  scope: "read",
  summary: "Addresses of the outputs of a stage that has ended.",
  params: v.strictObject({ name: jobName, stage: stageName }),
  query: noParameters,
  answer: { kind: "json", status: 200, schema: v.object({ results: v.array(v.string()) }) },
  errors: { 404: ["unknown-job", "unknown-stage", "stage-gone"], 409: ["stage-not-ended"] },
});

export const getResults = operation({
  id: "getResults",
  method: "POST",
  path: "/results",
  scope: "read",
  summary: "Results of jobs, as soon as at least one of them is not active (any more), or after a time.",
  details: "A long poll: it ends when the client hangs up. A name that is not known is in the answer as `unknown_job`.",
  params: noParameters,
  query: noParameters,
  body: {
    kind: "json",
    schema: v.strictObject({
      names: v.pipe(v.array(jobName), v.maxLength(resultNamesMax)),
      timeoutMs: v.exactOptional(wholeNumber(0, resultsHeldMsMax), 0),
    }),
  },
  answer: { kind: "json", status: 200, schema: v.object({ results: v.array(jobResult) }) },
});

export const followProgress = operation({
  id: "followProgress",
  method: "GET",
  path: "/jobs/{name}/progress",
  scope: "read",
  summary: "State of a job now and after each change, until it has ended, as server-sent events.",
  params: jobParams,
  query: v.strictObject({
    interval: v.exactOptional(
      v.pipe(wholeNumber(10, 3_600_000), v.description("Milliseconds between two states, at least.")),
      100,
    ),
  }),
  answer: { kind: "stream", data: jobProgress },
  errors: { 404: ["unknown-job"] },
});

export const listOob = operation({
  id: "listOob",
  method: "GET",
  path: "/jobs/{name}/oob",
  scope: "read",
  summary: "Keys of the out-of-band values that tasks of the job put.",
  params: jobParams,
  query: noParameters,
  answer: { kind: "json", status: 200, schema: v.object({ keys: v.array(v.string()) }) },
  errors: { 404: ["unknown-job"] },
});

export const getOob = operation({
  id: "getOob",
  method: "GET",
  path: "/jobs/{name}/oob/{key}",
  scope: "read",
  summary: "An out-of-band value.",
  params: v.strictObject({ name: jobName, key: oobKey }),
  query: noParameters,
  answer: { kind: "bytes" },
  errors: { 404: ["unknown-job", "unknown-key"] },
});

export const killJob = operation({
  id: "killJob",
  method: "POST",
  path: "/jobs/{name}/kill",
  scope: "submit",
  summary: "End a job: what runs of it is stopped at once, and it is dead. One that has ended stays as it is.",
  params: jobParams,
  query: noParameters,
  body: {
    kind: "json",
    optional: true,
    schema: v.strictObject({ reason: v.exactOptional(v.pipe(v.string(), v.maxLength(1_000))) }),
  },
  answer: { kind: "nothing" },
  errors: { 404: ["unknown-job"] },
});

export const cleanJob = operation({
  id: "cleanJob",
  method: "POST",
  path: "/jobs/{name}/clean",
  scope: "submit",
  summary: "Forget the job's records. Its data stays.",
  params: jobParams,
  query: noParameters,
  answer: { kind: "nothing" },
  errors: { 404: ["unknown-job"] },
});

export const purgeJob = operation({
  id: "purgeJob",
  method: "POST",
  path: "/jobs/{name}/purge",
  scope: "submit",
  summary: "Delete the job's records and all of its files. Also one whose records were cleaned.",
  params: jobParams,
  query: noParameters,
  answer: { kind: "nothing" },
});
