/** The OpenAPI document, made of the operations and of the schemas that check requests. */
import { type ConversionConfig, type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import { packageVersion } from "../../../package-version.ts";
import { errorAnswer, errorDetails, taskFailure } from "../../../protocol/api/errors.ts";
import { jobEvent } from "../../../protocol/api/events.ts";
import { jobInfo, jobPage, jobProgress, jobResult, listedJob, stageInfo } from "../../../protocol/api/jobs.ts";
import { alarm, masterInfo } from "../../../protocol/api/master.ts";
import { nodeInfo, nodeRemoval } from "../../../protocol/api/nodes.ts";
import {
  type AnySchema,
  apiBase,
  type Operation,
  type Parameters as ParameterSchemas,
} from "../../../protocol/api/operation.ts";
import { apiOperations } from "../../../protocol/api/operations.ts";
import { configTable, masterSettings, settingsChanges } from "../../../protocol/api/settings.ts";
import { attemptInfo, taskInfo, taskPage } from "../../../protocol/api/tasks.ts";

/** Schemas with a name of their own in the document. */
const named = {
  Alarm: alarm,
  AttemptInfo: attemptInfo,
  ConfigTable: configTable,
  Error: errorAnswer,
  ErrorDetails: errorDetails,
  JobEvent: jobEvent,
  JobInfo: jobInfo,
  ListedJob: listedJob,
  JobPage: jobPage,
  JobProgress: jobProgress,
  JobResult: jobResult,
  MasterInfo: masterInfo,
  MasterSettings: masterSettings,
  NodeInfo: nodeInfo,
  NodeRemoval: nodeRemoval,
  SettingsChanges: settingsChanges,
  StageInfo: stageInfo,
  TaskFailure: taskFailure,
  TaskInfo: taskInfo,
  TaskPage: taskPage,
};

/** What the converter takes: it asks for less than every schema has. */
type Convertible = Parameters<typeof toJsonSchema>[0];
type Json = Readonly<Record<string, unknown>>;

const config: ConversionConfig = {
  // What OpenAPI 3.1 means by a schema.
  target: "draft-2020-12",
  typeMode: "input",
  definitions: named as unknown as NonNullable<ConversionConfig["definitions"]>,
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
};

let document: Json | undefined;

export function openApiDocument(): Json {
  document ??= build();
  return document;
}

function build(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of apiOperations) {
    const path = (paths[apiBase + operation.path] ??= {});
    path[operation.method.toLowerCase()] = describe(operation);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Disco",
      version: packageVersion(),
      description:
        "The JSON API of a Disco master: jobs, tasks, events, nodes, settings. Times are milliseconds since 1970, UTC, unless said otherwise.",
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }, {}],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description:
            "Where the master has tokens. Each scope includes those before it: read, submit, admin; `x-scope` says what an operation needs.",
        },
      },
      schemas: Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, componentOf(name, schema)])),
    },
  };
}

function describe(operation: Operation): Json {
  const { id, summary, details, scope, params, query, headers, body } = operation;
  return {
    operationId: id,
    tags: [operation.path.split("/")[1]],
    summary,
    ...(details === undefined ? {} : { description: details }),
    "x-scope": scope,
    security: [{ token: [scope] }, {}],
    parameters: [
      ...parameters(params, "path"),
      ...parameters(query, "query"),
      ...(headers === undefined ? [] : parameters(headers, "header")),
    ],
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: responses(operation),
  };
}

function parameters({ entries }: ParameterSchemas, place: "path" | "query" | "header"): Json[] {
  return Object.entries(entries).map(([name, entry]) => {
    const { description, ...schema } = schemaOf(entry as AnySchema);
    return {
      name: place === "header" ? name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()) : name,
      in: place,
      required: place === "path",
      ...(description === undefined ? {} : { description }),
      schema,
    };
  });
}

function requestBody(body: NonNullable<Operation["body"]>): Json {
  if (body.kind === "bytes") return { required: true, content: { "application/octet-stream": { schema: {} } } };
  return { required: body.optional !== true, content: { "application/json": { schema: schemaOf(body.schema) } } };
}

const ownErrors: readonly (readonly [number, string])[] = [
  [400, "Something is wrong with the request; `code` and `message` say what."],
  [401, "A token is needed."],
  [403, "The token does not allow it, or the Host or Origin is not one of the master's."],
  [429, "Too many requests, or jobs: ask again after `Retry-After` seconds."],
  [500, "The master failed; its log has the reason."],
  [503, "The master is starting or stopping: ask again after `Retry-After` seconds."],
];

function responses(operation: Operation): Json {
  const { answer, errors = {}, body } = operation;
  const texts = new Map<number, string>(ownErrors);
  if (body !== undefined) texts.set(413, "The body is too large.");
  if (body?.kind === "json") texts.set(415, "The body is not JSON.");
  for (const [status, codes] of Object.entries(errors)) {
    const before = texts.get(Number(status));
    const list = `Codes: ${codes.map((code) => `\`${code}\``).join(", ")}.`;
    texts.set(Number(status), before === undefined ? list : `${before} ${list}`);
  }
  const error = { "application/json": { schema: { $ref: "#/components/schemas/Error" } } };
  const failures = [...texts]
    .sort(([a], [b]) => a - b)
    .map(([status, text]) => {
      const headers = [429, 503].includes(status) ? { "Retry-After": { schema: { type: "integer" } } } : undefined;
      return [String(status), { description: text, ...(headers === undefined ? {} : { headers }), content: error }];
    });
  const [status, success] = successOf(answer);
  return { [String(status)]: success, ...(Object.fromEntries(failures) as Json) };
}

function successOf(answer: Operation["answer"]): [number, Json] {
  switch (answer.kind) {
    case "json":
      return [
        answer.status,
        { description: "Done.", content: { "application/json": { schema: schemaOf(answer.schema) } } },
      ];
    case "nothing":
      return [204, { description: "Done." }];
    case "bytes":
      return [200, { description: "The bytes.", content: { "application/octet-stream": { schema: {} } } }];
    case "stream": {
      const content = {
        "text/event-stream": { schema: schemaOf(answer.data) },
        ...(answer.line === undefined ? {} : { "application/x-ndjson": { schema: schemaOf(answer.line) } }),
      };
      return [200, { description: "`data` of each event. A last `event: end` says that there are no more.", content }];
    }
  }
}

/** Schemas that have names are referred to. */
function schemaOf(schema: AnySchema): JsonSchema {
  const { $schema: _, $defs: __, ...rest } = toJsonSchema(schema as Convertible, config);
  return rest;
}

function componentOf(name: string, schema: AnySchema): JsonSchema {
  const { $defs } = toJsonSchema(schema as Convertible, config);
  const found = $defs?.[name];
  if (found === undefined) throw new Error(`no definition of ${name}`);
  return found as JsonSchema;
}
