/** Tasks of a job with their live attempts. */
import * as v from "valibot";
import { operation } from "./operation.ts";
import { count, jobParams, stageName, wholeNumber } from "./values.ts";

export const tasksPageMax = 1_000;

export const taskStatus = v.picklist(["waiting", "sleeping", "queued", "running", "done", "gone"]);

export const attemptInfo = v.object({
  attempt: v.pipe(count, v.description("Counts from 0 within the task.")),
  host: v.string(),
  startedAt: v.pipe(
    v.nullable(v.number()),
    v.description("When it began, in milliseconds since 1970; null: it is queued."),
  ),
  speculative: v.pipe(v.boolean(), v.description("Started beside another attempt that is slow.")),
  progress: v.nullable(v.object({ recordsIn: count, bytesIn: count, recordsOut: count })),
});

export const taskInfo = v.object({
  stage: v.string(),
  task: v.pipe(count, v.description("Number of the task in its stage.")),
  status: taskStatus,
  waits: v.pipe(v.nullable(v.string()), v.description("Why it waits.")),
  wakeAt: v.pipe(v.nullable(v.number()), v.description("When it is tried again, in milliseconds since 1970.")),
  attempts: v.pipe(v.array(attemptInfo), v.description("Live attempts, the oldest first.")),
  attemptsMade: count,
  failures: count,
  lost: v.pipe(count, v.description("Attempts lost with their worker or node.")),
  label: v.nullable(v.number()),
  bytesTotal: v.pipe(count, v.description("Bytes of its input; 0: not known.")),
  done: v.pipe(
    v.nullable(v.object({ host: v.string(), recordsIn: count, recordsOut: count })),
    v.description("Of the committed output."),
  ),
});

export const taskPage = v.object({
  tasks: v.array(taskInfo),
  total: v.pipe(count, v.description("How many match, on all pages.")),
  next: v.pipe(v.nullable(count), v.description("`offset` of the next page; null: this was the last.")),
});

export const listTasks = operation({
  id: "listTasks",
  method: "GET",
  path: "/jobs/{name}/tasks",
  scope: "read",
  summary: "Tasks of an active job. Of one that has ended: none.",
  params: jobParams,
  query: v.strictObject({
    stage: v.exactOptional(stageName),
    status: v.exactOptional(taskStatus),
    offset: v.exactOptional(wholeNumber(0, Number.MAX_SAFE_INTEGER), 0),
    limit: v.exactOptional(wholeNumber(1, tasksPageMax), 100),
  }),
  answer: { kind: "json", status: 200, schema: taskPage },
  errors: { 404: ["unknown-job", "unknown-stage"] },
});
