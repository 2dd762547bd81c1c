/** The OpenAPI document tells what the daemon does: each of its answers is what the document says, and no route is left out. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { Disco, nopReduce, task } from "../../src/index.ts";
import { apiOperations } from "../../src/protocol/api/operations.ts";
import { startDaemon, type TestDaemon } from "./daemon.test-kit.ts";
import { resolve, type Schema, violations } from "./json-schema.test-kit.ts";

type Operation = {
  readonly operationId: string;
  readonly responses: Record<string, Schema>;
  readonly parameters: Schema[];
};

let daemon: TestDaemon;
let disco: Disco;
let document: Schema;
/** Paths with their operations by method. */
let paths: Record<string, Record<string, Operation>>;
const checked = new Set<string>();

before(async () => {
  daemon = await startDaemon();
  disco = new Disco(daemon.address);
  document = (await (await fetch(`${daemon.url}/api/v1/openapi.json`)).json()) as Schema;
  paths = document["paths"] as typeof paths;
});
after(async () => {
  await disco.close();
  await daemon[Symbol.asyncDispose]();
});

/** Asks, and checks the answer against what the document says of it. */
async function ask(
  id: string,
  params: Record<string, string> = {},
  init: RequestInit & { query?: string } = {},
): Promise<unknown> {
  const [path, method, operation] = find(id);
  const { query = "", ...rest } = init;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
  const reply = await fetch(daemon.url + filled + query, { method, ...rest });
  const response = operation.responses[String(reply.status)];
  assert.ok(
    response,
    `${id} answered ${reply.status}, which the document does not name: ${await reply.clone().text()}`,
  );
  checked.add(`${id} ${reply.status}`);
  const content = response["content"] as Record<string, { schema: Schema }> | undefined;
  const type = reply.headers.get("content-type")?.replace(/;.*/, "");
  if (content === undefined) {
    assert.equal(await reply.text(), "");
    return null;
  }
  const described = content[type ?? ""];
  assert.ok(described, `${id} answered with ${type}`);
  const text = await reply.text();
  const values =
    type === "text/event-stream" ? eventData(text) : type?.includes("json") === true ? jsonIn(text, type) : [];
  for (const value of values)
    assert.deepEqual(violations(document, described.schema, value), [], `${id}: ${text.slice(0, 500)}`);
  if (type === "text/event-stream" || type === "application/x-ndjson") assert.ok(values.length > 0);
  return values[0];
}

function find(id: string): [path: string, method: string, operation: Operation] {
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (operation.operationId === id) return [path, method.toUpperCase(), operation];
    }
  }
  assert.fail(`the document has no ${id}`);
}

function eventData(text: string): unknown[] {
  assert.match(text, /event: end\ndata: \{\}\n\n$/);
  const events = text.replace(/event: end\ndata: \{\}\n\n$/, "");
  return [...events.matchAll(/^data: (.+)$/gm)].map(([, data]) => JSON.parse(data ?? "") as unknown);
}

function jsonIn(text: string, type: string): unknown[] {
  const lines = type === "application/x-ndjson" ? text.trimEnd().split("\n") : [text];
  return lines.map((line) => JSON.parse(line) as unknown);
}

function body(value: unknown): RequestInit {
  return { body: JSON.stringify(value), headers: { "content-type": "application/json" } };
}

describe("the OpenAPI document", () => {
  it("has every route, with its parameters, and leads nowhere that is not there", () => {
    assert.match(String(document["openapi"]), /^3\.1\./);
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`),
    );
    assert.deepEqual(
      described.sort(),
      apiOperations.map(({ method, path, id }) => `${method} /api/v1${path} ${id}`).sort(),
    );
    for (const [path, methods] of Object.entries(paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters, operationId } of Object.values(methods)) {
        const inPath = parameters
          .filter((parameter) => parameter["in"] === "path")
          .map((parameter) => parameter["name"]);
        assert.deepEqual(inPath, names, operationId);
      }
    }
    for (const [, ref] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g))
      assert.ok(resolve(document, ref ?? ""));
  });

  it("is what the daemon answers, for every route", async () => {
    const job = await disco.newJob("described", {
      input: ["raw://a", "raw://b"],
      map: (text) => {
        task.put(`key-${text}`, "value");
        return [[text, 1] as const];
      },
      reduce: nopReduce,
    });
    const name = job.name;
    const active = await disco.newJob("waits", {
      input: ["raw://x"],
      map: (text) => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
        return [[text, 1] as const];
      },
    });
    const dead = await disco.newJob("dies", {
      input: ["raw://x"],
      map: (): [] => {
        throw new TypeError("it dies");
      },
    });
    await job.wait();
    await assert.rejects(dead.wait(), { name: "JobError" });
    await ask("listJobs", {}, { query: "?limit=1&status=ready" });
    for (const one of [name, active.name, dead.name]) await ask("getJob", { name: one });
    await ask("getJobPack", { name });
    let tasks: unknown;
    do tasks = await ask("listTasks", { name: active.name }, { query: "?status=running" });
    while ((tasks as { total: number }).total === 0);
    for (const query of ["", "?follow=false&offset=0"]) await ask("followEvents", { name }, { query });
    await ask("followEvents", { name }, { headers: { accept: "text/event-stream" } });
    for (const one of [name, dead.name]) await ask("followProgress", { name: one });
    await ask("getStageResults", { name, stage: "reduce" });
    await ask("getStageResults", { name: active.name, stage: "map" });
    await ask("listOob", { name });
    await ask("getOob", { name, key: "key-a" });
    await ask("getResults", {}, body({ names: [name, active.name, dead.name, "unknown@1:2:3"] }));
    const nodes = (await ask("listNodes")) as { nodes: { name: string }[] };
    const node = { name: nodes.nodes[0]?.name ?? "" };
    for (const id of ["blacklistNode", "whitelistNode", "gcBlacklistNode", "drainNode", "getRemoval", "undrainNode"])
      await ask(id, node);
    await ask("listGcBlacklist");
    await ask("gcWhitelistNode", node);
    await ask("getMaster");
    await ask("getSettings");
    await ask("changeSettings", {}, body({ maxFailureRate: 99 }));
    const config = await ask("getConfig");
    await ask("replaceConfig", {}, body(config));
    await ask("getOpenApi");
    await ask("killJob", { name: active.name }, body({ reason: "seen" }));
    const pack = await dead.jobspec();
    await ask("submitJob", {}, { body: Buffer.from(pack), headers: { "idempotency-key": "one" } });
    await ask("cleanJob", { name: dead.name });
    await ask("purgeJob", { name: active.name });
    const answered = apiOperations
      .map(({ id }) => id)
      .filter((id) => ![...checked].some((one) => one.startsWith(`${id} 2`)));
    assert.deepEqual(answered, [], "never answered well");
  });

  it("is what the daemon answers when something is wrong", async () => {
    await ask("getJob", { name: "unknown@1:2:3" });
    await ask("getJob", { name: "a/b" });
    await ask("followEvents", { name: "unknown@1:2:3" });
    await ask("listJobs", {}, { query: "?limit=x" });
    await ask("submitJob", {}, { body: "no pack" });
    await ask("getResults", {}, { body: "{}" });
    await ask("replaceConfig", {}, body({ table: [["localhost", "many"]] }));
    const wrong = ["getJob 404", "getJob 400", "followEvents 404", "listJobs 400", "submitJob 400", "getResults 415"];
    for (const one of [...wrong, "replaceConfig 400"]) assert.ok(checked.has(one), one);
  });

  it("has the same operations as the documentation", async () => {
    const text = await readFile(new URL("../../docs/http-api.md", import.meta.url), "utf8");
    const rows = [...text.matchAll(/^\| `([A-Z]+) (\/\S*)` \| (\w+) \|/gm)].map(
      ([, method, path, scope]) => `${method} ${path} ${scope}`,
    );
    assert.deepEqual(
      rows,
      apiOperations.map(({ method, path, scope }) => `${method} ${path} ${scope}`),
    );
  });
});
