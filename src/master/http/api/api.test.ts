import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { DiscoError, JobError } from "../../../errors.ts";
import { apiOperations } from "../../../protocol/api/operations.ts";
import { type FakeMaster, jobInfo, openFakeMaster } from "../fake-master.test-kit.ts";
import { ApiServer, refusing } from "./api.test-kit.ts";
import { servedOperations } from "./api.ts";

let master: FakeMaster;
let server: ApiServer;
const refuses = refusing(
  () => server,
  () => master,
);

before(async () => {
  master = await openFakeMaster();
  server = await new ApiServer(master, { heartbeatMs: 20 }).listen();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await master.close();
});

describe("the JSON API", () => {
  it("serves every operation that it describes", () => {
    assert.deepEqual(
      new Set(servedOperations.map(({ operation }) => operation.id)),
      new Set(apiOperations.map(({ id }) => id)),
    );
    assert.equal(servedOperations.length, apiOperations.length);
  });

  it("lists jobs with their stages when asked to, at most 200 a page, and without those of a job that goes meanwhile", async () => {
    const { list, progress } = master;
    master.list = Array.from({ length: 300 }, (_, i) => ({ name: `job@${i}`, status: "ready", submittedAt: i }));
    master.progress = async function* (name) {
      if (name === "job@1") throw new DiscoError("gone", { code: "unknown-job" });
      yield { ...jobInfo, name };
      assert.fail("only the first state is asked for");
    };
    try {
      const { value } = await server.ask("GET", "/jobs?limit=1000&stages=true");
      const { jobs, next } = value as { jobs: object[]; next: string };
      assert.deepEqual([jobs.length, next], [200, "job@199"]);
      const { stages, endedAt } = jobInfo;
      assert.deepEqual(jobs[0], { name: "job@0", status: "ready", submittedAt: 0, stages, endedAt });
      assert.deepEqual(jobs[1], { name: "job@1", status: "ready", submittedAt: 1 });
      const plain = (await server.ask("GET", "/jobs")).value as { jobs: object[] };
      assert.deepEqual([plain.jobs.length, plain.jobs[0]], [300, { name: "job@0", status: "ready", submittedAt: 0 }]);
    } finally {
      Object.assign(master, { list, progress });
    }
  });

  it("answers with the state of jobs, nodes and settings, and does what is asked", async () => {
    const job = encodeURIComponent("job@1");
    assert.deepEqual((await server.ask("GET", `/jobs/${job}`)).value, jobInfo);
    assert.equal((await server.ask("GET", `/jobs/${job}/pack`)).text, "0123456789");
    assert.deepEqual((await server.ask("GET", `/jobs/${job}/stages/map/results`)).value, { results: ["dir://h/x"] });
    assert.deepEqual((await server.ask("GET", "/config")).value, { table: [["localhost", "2"]] });
    master.calls.length = 0;
    assert.equal((await server.ask("POST", `/jobs/${job}/kill`, { json: { reason: "enough" } })).status, 204);
    assert.equal((await server.ask("POST", "/nodes/h/blacklist")).status, 204);
    assert.equal((await server.ask("POST", "/nodes/h/gc-whitelist")).status, 204);
    assert.equal((await server.ask("POST", "/nodes/h/drain")).status, 204);
    assert.equal((await server.ask("POST", "/nodes/h/undrain")).status, 204);
    const removal = { host: "h", draining: true, attempts: 2, jobs: ["job@1"], resultsOfJobs: 1, safe: false };
    assert.deepEqual((await server.ask("GET", "/nodes/h/drain")).value, removal);
    assert.equal((await server.ask("GET", "/nodes/x/drain")).code, "unknown-node");
    assert.deepEqual((await server.ask("PATCH", "/settings", { json: { maxFailureRate: 7 } })).value, {
      maxFailureRate: 7,
      acceptNewJobs: true,
    });
    assert.equal((await server.ask("PUT", "/config", { json: { table: [["a", "3"]] } })).status, 204);
    assert.deepEqual(master.calls, [
      ["kill", "job@1"],
      ["blacklist", "h"],
      ["gcWhitelistNode", "h"],
      ["drain", "h"],
      ["undrain", "h"],
      ["saveSettings", { maxFailureRate: 7 }],
      ["saveConfigTable", [["a", "3"]]],
    ]);
  });

  it("refuses what is wrong with a path, a method, a parameter or a body, with the reason, and does nothing", async () => {
    await refuses(404, "not-found", "GET", "/nothing");
    await refuses(404, "unknown-job", "GET", "/jobs/other@1");
    await refuses(404, "unknown-stage", "GET", "/jobs/job@1/stages/nix/results");
    await refuses(405, "method-not-allowed", "DELETE", "/jobs/job@1");
    await refuses(405, "method-not-allowed", "GET", "/results");
    assert.equal((await server.ask("DELETE", "/settings")).headers.get("allow"), "GET, PATCH");
    await refuses(400, "bad-name", "GET", "/jobs/a%2fb");
    await refuses(400, "bad-name", "GET", `/jobs/${"a".repeat(201)}`);
    await refuses(400, "bad-name", "POST", "/nodes/a%20b/blacklist");
    await refuses(400, "bad-url", "GET", "/jobs/%zz");
    await refuses(400, "bad-parameter", "GET", "/jobs?statsu=ready");
    await refuses(400, "bad-parameter", "GET", "/jobs?status=done");
    await refuses(400, "bad-parameter", "GET", "/jobs?limit=0");
    await refuses(400, "bad-parameter", "GET", "/jobs?limit=1.5");
    await refuses(400, "bad-parameter", "GET", "/jobs?limit=1&limit=2");
    await refuses(400, "bad-parameter", "GET", "/jobs/job@1/events?offset=-1");
    await refuses(400, "bad-parameter", "GET", "/jobs/job@1/events?follow=perhaps");
    await refuses(400, "bad-parameter", "GET", "/jobs/job@1/tasks?limit=1001");
    await refuses(400, "bad-parameter", "POST", "/jobs/job@1/purge?force=1");
    await refuses(400, "bad-header", "POST", "/jobs", { body: "x", headers: { "idempotency-key": "x".repeat(201) } });
    await refuses(400, "bad-body", "POST", "/jobs/job@1/purge", { json: {} });
    await refuses(415, "unsupported-media-type", "POST", "/results", { body: "{}" });
    await refuses(400, "bad-json", "POST", "/results", {
      json: undefined,
      body: "{",
      headers: { "content-type": "application/json" },
    });
    for (const body of [
      {},
      [],
      { names: "job@1" },
      { names: ["a b"] },
      { names: [], timeoutMs: -1 },
      { names: [], more: 1 },
    ]) {
      await refuses(400, "bad-body", "POST", "/results", { json: body });
    }
    for (const body of [{ maxFailureRate: "100" }, { acceptNewJobs: 1 }, { nothing: 1 }, 7]) {
      await refuses(400, "bad-body", "PATCH", "/settings", { json: body });
    }
    for (const table of [[["a", 3]], [["a"]], [["a", "3", "4"]], "a"]) {
      await refuses(400, "bad-body", "PUT", "/config", { json: { table } });
    }
    await refuses(400, "bad-config", "PUT", "/config", {
      json: {
        table: [
          ["a", "1"],
          ["a", "2"],
        ],
      },
    });
    await refuses(413, "body-too-large", "POST", "/results", { json: { names: ["x".repeat(5_000_000)] } });
  });

  it("answers anything with a status below 500", async () => {
    const methods = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD");
    const part = fc.oneof(
      fc.constantFrom("jobs", "results", "job@1", "events", "nodes", "..", "%00", "%2e%2e"),
      fc.string(),
    );
    const path = fc
      .array(part, { maxLength: 5 })
      .map((parts) => `/${parts.map((text) => (text.startsWith("%") ? text : encodeURIComponent(text))).join("/")}`);
    const property = fc.asyncProperty(
      methods,
      path,
      fc.option(fc.json(), { nil: undefined }),
      async (method, at, body) => {
        const isAllowed = method !== "GET" && method !== "HEAD" && body !== undefined;
        const init = isAllowed ? { body, headers: { "content-type": "application/json" } } : {};
        assert.ok((await server.ask(method, at, init)).status < 500, `${method} ${at} ${body}`);
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });

  it("lets nobody do what the token does not allow", async () => {
    server.scope = "read";
    try {
      for (const { operation } of servedOperations) {
        if (operation.scope === "read") continue;
        const path = operation.path.replace("{name}", "job@1");
        await refuses(403, "forbidden", operation.method, path, operation.body === undefined ? {} : { body: "x" });
      }
      assert.equal((await server.ask("POST", "/results", { json: { names: ["job@1"] } })).status, 200);
      server.scope = "submit";
      assert.equal((await server.ask("POST", "/jobs/job@1/clean")).status, 204);
      await refuses(403, "forbidden", "POST", "/nodes/h/whitelist");
    } finally {
      server.scope = "admin";
    }
  });

  it("tells of a failure of its own only that there was one", async () => {
    const { masterInfo } = master;
    master.masterInfo = () => Promise.reject(new Error("/secret/path"));
    const answer = await server.ask("GET", "/master");
    master.masterInfo = masterInfo;
    assert.deepEqual([answer.status, answer.code], [500, "internal"]);
    assert.doesNotMatch(answer.text, /secret/);
    assert.match(String(server.errors.at(-1)), /secret/);
  });

  it("gives errors with all that the master knows of them", async () => {
    const { kill } = master;
    const failure = { code: "user-error", name: "E", message: "m", retry: "never" as const, frame: "> 1" };
    master.kill = () => Promise.reject(new JobError("no", { code: "closed", job: "j", hint: "h", failure }));
    const answer = await server.ask("POST", "/jobs/job@1/kill");
    master.kill = kill;
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get("retry-after"), "1");
    assert.deepEqual(answer.value, {
      error: { code: "closed", message: "no", name: "JobError", retry: "never", hint: "h", job: "j", failure },
    });
  });
});

describe("the list of jobs", () => {
  it("comes by pages, which go on behind a job that is gone meanwhile", async () => {
    const before = master.list;
    master.list = Array.from({ length: 25 }, (_, i) => ({
      name: `${i % 2 === 0 ? "even" : "odd"}@1:2:${(100 - i).toString(16)}`,
      status: i % 5 === 0 ? "active" : "ready",
      submittedAt: 1_000 - i,
    }));
    const names = master.list.map(({ name }) => name);
    const pages = async (query: string): Promise<string[]> => {
      const seen: string[] = [];
      for (let after = ""; ; ) {
        const { value } = await server.ask("GET", `/jobs?limit=10${query}${after}`);
        const { jobs, next } = value as { jobs: { name: string }[]; next: string | null };
        seen.push(...jobs.map(({ name }) => name));
        if (next === null) return seen;
        master.list = master.list.filter(({ name }) => name !== next);
        after = `&after=${encodeURIComponent(next)}`;
      }
    };
    const all = master.list;
    assert.deepEqual(await pages(""), names);
    master.list = all;
    assert.deepEqual(
      await pages("&prefix=odd"),
      names.filter((name) => name.startsWith("odd")),
    );
    master.list = all;
    assert.equal((await pages("&status=active")).length, 5);
    await refuses(400, "bad-parameter", "GET", "/jobs?after=nothing");
    master.list = before;
  });
});

describe("a submission", () => {
  it("is a file on its way to the master, with its key", async () => {
    const { submitFile } = master;
    const keys: unknown[] = [];
    master.submitFile = (file, options) => {
      keys.push(options?.idempotencyKey);
      return submitFile(file, options);
    };
    const headers = { "idempotency-key": "k 1" };
    const answer = await server.ask("POST", "/jobs", { body: "a pack", headers });
    assert.deepEqual([answer.status, answer.value], [201, { name: "job@1" }]);
    assert.equal(String(master.packs.at(-1)), "a pack");
    const chunks = ReadableStream.from([Buffer.from("in "), Buffer.from("parts")]);
    assert.equal((await server.ask("POST", "/jobs", { body: chunks, duplex: "half" } as RequestInit)).status, 201);
    assert.equal(String(master.packs.at(-1)), "in parts");
    assert.deepEqual(keys, ["k 1", undefined]);
    master.submitFile = submitFile;
  });

  it("that is too large, cut off or not wanted leaves no file", async () => {
    await refuses(413, "body-too-large", "POST", "/jobs", { body: "x".repeat(1_001) });
    const chunks = ReadableStream.from(Array.from({ length: 50 }, () => Buffer.alloc(100)));
    await refuses(413, "body-too-large", "POST", "/jobs", { body: chunks, duplex: "half" } as RequestInit);
    await server.ask("PATCH", "/settings", { json: { acceptNewJobs: false } });
    await refuses(403, "jobs-not-accepted", "POST", "/jobs", { body: "a pack" });
    await server.ask("PATCH", "/settings", { json: { acceptNewJobs: true } });
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write("POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf");
    const files = (): Promise<string[]> => readdir(master.incomingDir).catch(() => []);
    while ((await files()).length === 0) await turn();
    socket.destroy();
    while ((await files()).length > 0) await turn();
  });
});

describe("a long poll", () => {
  it("ends when the client hangs up, and when the server closes", async () => {
    const over = async (): Promise<void> => {
      while (!master.calls.some(([what, aborted]) => what === "results over" && aborted === true)) await turn();
    };
    const asked = async (): Promise<void> => {
      while (master.calls.at(-1)?.[0] !== "results") await turn();
    };
    const question = { json: { names: ["slow"], timeoutMs: 60_000 } };
    const stop = new AbortController();
    const polling = server.ask("POST", "/results", { ...question, signal: stop.signal });
    await asked();
    stop.abort();
    await assert.rejects(polling);
    await over();
    master.calls.length = 0;
    await using other = await new ApiServer(master).listen();
    const held = other.ask("POST", "/results", question);
    await asked();
    other.beginClosing();
    assert.equal((await held).status, 200);
    await over();
  });
});
