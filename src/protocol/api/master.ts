/** The master itself. */
import * as v from "valibot";
import { operation } from "./operation.ts";
import { count, noParameters, time } from "./values.ts";

export const alarm = v.object({ code: v.string(), message: v.string(), hint: v.string(), since: time });

export const masterInfo = v.object({
  version: v.string(),
  instance: v.pipe(v.string(), v.description("Unique for each start of a master.")),
  pid: count,
  root: v.pipe(v.string(), v.description("The master's root directory, on its own machine.")),
  epoch: count,
  startedAt: time,
  readOnly: v.pipe(
    v.boolean(),
    v.description("It answers questions, but takes and starts nothing, for the reason that `alarms` give."),
  ),
  alarms: v.array(alarm),
  scheduler: v.object({ policy: v.picklist(["fair", "fifo"]), alpha: v.number() }),
  journal: v.object({
    engine: v.string(),
    durable: v.pipe(
      v.picklist(["fsync", "process-crash", "memory"]),
      v.description("What a record survives: the loss of power, the end of a process, or nothing."),
    ),
    replicas: v.exactOptional(v.pipe(count, v.description("Copies of every record, on as many servers."))),
    version: v.exactOptional(v.pipe(v.string(), v.description("Of the engine's server."))),
    notes: v.exactOptional(v.pipe(v.array(v.string()), v.description("What somebody should know about it."))),
  }),
  role: v.exactOptional(
    v.pipe(v.picklist(["leads", "follows", "none"]), v.description("Of several masters: what this one does.")),
  ),
  leader: v.exactOptional(v.pipe(v.nullable(v.string()), v.description("Base URL of the master that leads."))),
  ageMs: v.exactOptional(v.pipe(v.number(), v.description("So old is what this master tells; 0 where it leads."))),
  jobs: v.object({ active: count, ready: count, dead: count }),
});

export const getMaster = operation({
  id: "getMaster",
  method: "GET",
  path: "/master",
  scope: "read",
  summary: "Version, state and alarms of the master.",
  params: noParameters,
  query: noParameters,
  answer: { kind: "json", status: 200, schema: masterInfo },
});

export const getOpenApi = operation({
  id: "getOpenApi",
  method: "GET",
  path: "/openapi.json",
  scope: "read",
  summary: "This API, described in OpenAPI 3.1.",
  params: noParameters,
  query: noParameters,
  answer: { kind: "json", status: 200, schema: v.record(v.string(), v.unknown()) },
});
