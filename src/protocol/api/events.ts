/** The event log of a job, from any offset that was seen before. */
import * as v from "valibot";
import { operation } from "./operation.ts";
import { count, jobParams, wholeNumber } from "./values.ts";

export const eventLevel = v.picklist(["debug", "info", "message", "warning", "error"]);

export const jobEvent = v.object({
  time: v.pipe(v.string(), v.description("ISO 8601, UTC.")),
  host: v.pipe(v.string(), v.description("`master`, or the name of a node.")),
  task: v.pipe(v.nullable(v.string()), v.description("`map:3`, when the event belongs to a task.")),
  level: eventLevel,
  message: v.string(),
});

export const eventLine = v.tuple([count, jobEvent]);

/** A comment in a stream that is quiet, so that both ends notice when the other is gone. */
export const heartbeatMs = 15_000;

export const followEvents = operation({
  id: "followEvents",
  method: "GET",
  path: "/jobs/{name}/events",
  scope: "read",
  summary: "Events of a job from an offset on.",
  details:
    "With `Accept: text/event-stream`, server-sent events whose `id` is the offset behind the event; the header `Last-Event-ID` goes on " +
    "from there. The last is `event: end`; a stream that stops without it was cut off. Otherwise lines `[offset, event]`.",
  params: jobParams,
  query: v.strictObject({
    offset: v.exactOptional(wholeNumber(0, Number.MAX_SAFE_INTEGER), 0),
    follow: v.exactOptional(v.pipe(v.boolean(), v.description("Until the job has ended.")), true),
  }),
  headers: v.strictObject({
    "last-event-id": v.exactOptional(v.pipe(v.string(), v.regex(/^\d{1,15}$/, "an offset"))),
  }),
  answer: { kind: "stream", data: jobEvent, line: eventLine },
  errors: { 400: ["bad-offset"], 404: ["unknown-job"] },
});
