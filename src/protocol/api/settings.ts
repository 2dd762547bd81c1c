/** What an operator may change while the master runs; it outlives restarts. */
import * as v from "valibot";
import { operation } from "./operation.ts";
import { noParameters, wholeNumber } from "./values.ts";

const maxFailureRate = v.pipe(
  wholeNumber(0, 1_000_000),
  v.description("Failures of one task after which its job is dead, whatever the job allows."),
);
const acceptNewJobs = v.pipe(v.boolean(), v.description("false: no job is accepted."));

export const masterSettings = v.object({ maxFailureRate, acceptNewJobs });

export const settingsChanges = v.strictObject({
  maxFailureRate: v.exactOptional(maxFailureRate),
  acceptNewJobs: v.exactOptional(acceptNewJobs),
});

/** Rows of the configuration table. */
const rowsMax = 10_000;

export const configTable = v.pipe(
  v.array(v.strictTuple([v.pipe(v.string(), v.maxLength(500)), v.pipe(v.string(), v.maxLength(20))])),
  v.maxLength(rowsMax),
  v.description('Nodes and the numbers of their worker processes, both as text: `[["localhost", "4"]]`.'),
);

export const getSettings = operation({
  id: "getSettings",
  method: "GET",
  path: "/settings",
  scope: "read",
  summary: "Settings of the master.",
  params: noParameters,
  query: noParameters,
  answer: { kind: "json", status: 200, schema: masterSettings },
});

export const changeSettings = operation({
  id: "changeSettings",
  method: "PATCH",
  path: "/settings",
  scope: "admin",
  summary: "Change some settings; the answer has all of them.",
  params: noParameters,
  query: noParameters,
  body: { kind: "json", schema: settingsChanges },
  answer: { kind: "json", status: 200, schema: masterSettings },
});

export const getConfig = operation({
  id: "getConfig",
  method: "GET",
  path: "/config",
  scope: "read",
  summary: "Disco's configuration table.",
  params: noParameters,
  query: noParameters,
  answer: { kind: "json", status: 200, schema: v.object({ table: configTable }) },
});

export const replaceConfig = operation({
  id: "replaceConfig",
  method: "PUT",
  path: "/config",
  scope: "admin",
  summary: "Replace the configuration table. The slots of a node take effect at once.",
  params: noParameters,
  query: noParameters,
  body: { kind: "json", schema: v.strictObject({ table: configTable }) },
  answer: { kind: "nothing" },
  errors: { 400: ["bad-config"] },
});
