/**
 * The server's doors: who is let in, what browsers may be made to do, which names reach the disk. The data server and the JSON API
 * are real, the master behind them is not. Numbers are those of `docs/reliability.md`.
 */
import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { wrongTokensMax } from "../../src/http/wrong-tokens.ts";
import { createApi } from "../../src/master/http/api/api.ts";
import {
  openServer,
  statusOf,
  type TestServer,
  type TestServerOptions,
} from "../../src/master/http/server.test-kit.ts";
import { createDataServer } from "../../src/node/data-server/data-server.ts";
import { jobDirectory } from "../../src/node/job-directory.ts";

const tokens = { read: "read-4f6c2a", submit: "submit-90b1d7", admin: "admin-77e3c5" };
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const basic = (user: string, token: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${token}`).toString("base64")}`,
});

/** A server with all its parts. `secret.txt` lies beside what may be read. */
async function openAll(options: TestServerOptions = {}): Promise<TestServer> {
  const at = await openServer({
    ...options,
    compose: (master) => ({
      api: createApi(master, { packBytesMax: 1_000 }),
      data: createDataServer({ dataDir: join(master.folder, "data"), host: "h" }),
    }),
  });
  const { folder } = at.master;
  const home = join(folder, "data", jobDirectory("h", "job@1"));
  const ofMaster = join(folder, "data", jobDirectory("_master", "job@1"));
  await mkdir(home, { recursive: true });
  await mkdir(ofMaster, { recursive: true });
  await writeFile(join(home, "out"), "a result");
  await writeFile(join(folder, "secret.txt"), "TOP SECRET");
  await writeFile(join(ofMaster, "jobfile"), "TOP SECRET");
  return at;
}

const dataPath = `/disco/${jobDirectory("h", "job@1")}/out`;

describe("81, 82: tokens and what they allow", () => {
  let at: TestServer;
  before(async () => {
    at = await openAll({ settings: { tokens } });
  });
  after(() => at.close());

  const paths: [method: string, path: string, body?: string][] = [
    ["GET", "/disco/version"],
    ["GET", "/disco/ctrl/joblist"],
    ["POST", "/disco/ctrl/kill_job", '"job@1"'],
    ["POST", "/disco/job/new", "a pack"],
    ["GET", dataPath],
    ["GET", `/proxy/h/GET${dataPath}`],
    ["GET", "/api/v1/jobs"],
    ["POST", "/api/v1/jobs", "a pack"],
    ["GET", "/api/v1/jobs/job%401/events?follow=true"],
    ["GET", "/metrics"],
    ["GET", "/nothing"],
  ];

  for (const [method, path, body] of paths) {
    test(`81: ${method} ${path} without a token, or with a wrong one, is 401 and does nothing`, async () => {
      const before = at.master.calls.length + at.master.packs.length;
      for (const headers of [{}, bearer("wrong"), basic("admin", tokens.admin), { authorization: tokens.admin }]) {
        const answer = await at.ask(path, { method, headers, ...(body === undefined ? {} : { body }) });
        assert.equal(answer.status, 401, answer.text);
        assert.match(answer.headers.get("www-authenticate") ?? "", /Bearer.*Basic/);
        assert.match(answer.text, /DISCO_TOKEN/);
      }
      assert.equal(at.master.calls.length + at.master.packs.length, before);
    });
  }

  test("a token is taken as Bearer, and as Disco's client sends it", async () => {
    for (const headers of [bearer(tokens.read), basic("token", tokens.read)]) {
      assert.equal((await at.ask("/disco/ctrl/joblist", { headers })).status, 200);
      assert.equal((await at.ask(dataPath, { headers })).text, "a result");
    }
  });

  for (const [token, method, path, body, status] of [
    ["read", "POST", "/disco/job/new", "a pack", 403],
    ["read", "POST", "/disco/ctrl/kill_job", '"job@1"', 403],
    ["read", "POST", "/disco/ctrl/get_results", '[0,["job@1"]]', 200],
    ["read", "POST", "/api/v1/jobs", "a pack", 403],
    ["read", "POST", "/api/v1/jobs/job%401/kill", undefined, 403],
    ["read", "PATCH", "/api/v1/settings", "{}", 403],
    ["submit", "POST", "/disco/job/new", "a pack", 200],
    ["submit", "POST", "/disco/ctrl/purge_job", '"job@1"', 200],
    ["submit", "POST", "/disco/ctrl/blacklist", '"h"', 403],
    ["submit", "POST", "/disco/ctrl/save_settings", "{}", 403],
    ["submit", "PUT", "/api/v1/config", "{}", 403],
    ["admin", "POST", "/disco/ctrl/blacklist", '"h"', 200],
  ] as const) {
    test(`82: ${token} ${method} ${path} is ${status}`, async () => {
      const before = at.master.calls.length + at.master.packs.length;
      const headers = {
        ...bearer(tokens[token]),
        ...(path.startsWith("/api") ? { "content-type": "application/json" } : {}),
      };
      const answer = await at.ask(path, { method, headers, ...(body === undefined ? {} : { body }) });
      assert.equal(answer.status, status, answer.text);
      if (status !== 403) return;
      assert.match(answer.text, /submit|admin/);
      assert.equal(at.master.calls.length + at.master.packs.length, before);
    });
  }
});

test("84: an address that tries many tokens is not heard for a while, right ones included", async () => {
  await using at = await openAll({ settings: { tokens } });
  const ask = (token: string) => at.ask("/disco/ctrl/joblist", { headers: bearer(token) });
  for (let i = 0; i < wrongTokensMax; i++) assert.equal((await ask(`guess-${i}`)).status, 401);
  for (const token of ["guess", tokens.admin]) {
    const { status, headers } = await ask(token);
    assert.equal(status, 429);
    assert.ok(Number(headers.get("retry-after")) > 0);
  }
  assert.equal((await at.ask("/healthz")).status, 200);
});

test("83: tokens are in no answer, no error, no log line", async () => {
  await using at = await openAll({ settings: { tokens } });
  const all = Object.values(tokens);
  const answers: string[] = [];
  for (const token of [...all, "wrong"]) {
    for (const path of [
      "/disco/ctrl/joblist",
      `/disco/${token}`,
      `/disco/ctrl/jobinfo?name=${token}`,
      `/x?token=${token}`,
    ]) {
      for (const method of ["GET", "POST"]) {
        const { text, headers } = await at.ask(path, { method, headers: bearer(token) });
        answers.push(text, JSON.stringify([...headers]));
      }
    }
  }
  const lines = at.lines.join("");
  for (const token of all) {
    assert.ok(!lines.includes(token), "a token is in the log");
    // Names of jobs are repeated in the reason why they are none; that is what was asked for, not who asks.
    const told = answers.filter((text) => text.includes(token) && !text.includes("the name of a job"));
    assert.deepEqual(told, []);
  }
  const inUrl = await at.ask(`/disco/ctrl/joblist?token=${tokens.admin}`, { headers: bearer(tokens.admin) });
  assert.equal(inUrl.status, 400);
  assert.match(inUrl.text, /Authorization/);
});

describe("92, 93: other web pages", () => {
  let at: TestServer;
  before(async () => {
    at = await openAll();
  });
  after(() => at.close());

  const asked = (method: string, path: string, headers: string): Promise<string> =>
    at.raw(`${method} ${path} HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n${headers}\r\n\r\n`);

  for (const [title, method, path, headers] of [
    ["a page whose name was bound to our address", "GET", "/disco/ctrl/joblist", "Host: evil.example:8989"],
    ["the same for the data", "GET", dataPath, "Host: evil.example"],
    ["the same for health", "GET", "/healthz", "Host: evil.example"],
    ["a form of another page", "POST", "/disco/ctrl/kill_job", "Host: localhost\r\nOrigin: http://evil.example"],
    ["a page of another port", "POST", "/disco/job/new", "Host: localhost:8989\r\nOrigin: http://localhost:3000"],
    ["a sandboxed page", "POST", "/disco/job/new", "Host: localhost\r\nOrigin: null"],
    ["its preflight", "OPTIONS", "/api/v1/jobs", "Host: localhost\r\nOrigin: http://evil.example"],
    ["an event stream", "GET", "/api/v1/jobs/job%401/events", "Host: localhost\r\nOrigin: http://evil.example"],
    [
      "an image",
      "GET",
      "/disco/ctrl/joblist",
      "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors",
    ],
    [
      "a web socket",
      "GET",
      "/api/v1/jobs/job%401/events",
      "Host: localhost\r\nOrigin: http://evil.example\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
    ],
  ] as const) {
    test(`${title} is refused`, async () => {
      const before = at.master.calls.length;
      const answer = await asked(method, path, headers);
      assert.equal(statusOf(answer), 403, answer);
      assert.doesNotMatch(answer, /access-control/i);
      assert.equal(at.master.calls.length, before);
    });
  }

  test("93: there are no web sockets", async () => {
    const answer = await asked(
      "GET",
      "/disco/version",
      "Host: localhost\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
    );
    assert.notEqual(statusOf(answer), 101);
  });

  test("no answer allows another origin, and an own one needs no permission", async () => {
    const answer = await at.ask("/disco/ctrl/joblist", { headers: { origin: at.url } });
    assert.equal(answer.status, 200);
    for (const [name] of answer.headers) assert.doesNotMatch(name, /^access-control/);
  });

  test("91: answers are never taken for pages", async () => {
    for (const path of ["/disco/ctrl/joblist", "/disco/<img onerror=x>", "/api/v1/<b>", "/x", dataPath, "/metrics"]) {
      const { headers } = await at.ask(encodeURI(path));
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
      assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/, path);
      assert.doesNotMatch(headers.get("content-type") ?? "", /html|svg|xml/, path);
    }
  });
});

describe("86, 87: names", () => {
  let at: TestServer;
  before(async () => {
    at = await openAll();
  });
  after(() => at.close());

  const names = [
    "../x",
    "a/../../x",
    "a$b",
    "a\nb",
    "\u001b[31m",
    "<img onerror>",
    "x".repeat(10_000),
    "\u202Ea",
    "a\0b",
    "",
    ".",
    "é",
  ];
  for (const name of names) {
    test(`86: ${JSON.stringify(name.slice(0, 20))} is no job, anywhere`, async () => {
      const before = at.master.calls.length;
      const encoded = encodeURIComponent(name);
      for (const [path, init] of [
        [`/disco/ctrl/jobinfo?name=${encoded}`, {}],
        [`/disco/ctrl/rawevents?name=${encoded}`, {}],
        [`/disco/ctrl/parameters?name=${encoded}`, {}],
        [`/disco/ctrl/get_stageresults?name=${encoded}&stage=map`, {}],
        ["/disco/ctrl/purge_job", { method: "POST", body: JSON.stringify(name) }],
        ["/disco/ctrl/get_results", { method: "POST", body: JSON.stringify([0, [name]]) }],
        [`/api/v1/jobs/${encoded}`, {}],
        [`/api/v1/jobs/${encoded}/purge`, { method: "POST" }],
        [`/disco/h/ab/${encoded}/out`, {}],
      ] as const) {
        const { status } = await at.ask(path, init);
        assert.ok([400, 404, 405, 414].includes(status), `${path.slice(0, 60)}: ${status}`);
      }
      assert.equal(at.master.calls.length, before);
    });
  }

  for (const path of [
    "/disco/../secret.txt",
    "/disco/h/../../secret.txt",
    `/disco/h/%2e%2e%2f%2e%2e%2fsecret.txt`,
    `${dataPath}/../../../../secret.txt`,
    `${dataPath}%00`,
    `/disco/${jobDirectory("h", "job@1")}/..%5c..%5c..%5c..%5csecret.txt`,
    `/disco/${jobDirectory("h", "job@1")}/%252e%252e/%252e%252e/secret.txt`,
    `/disco/${jobDirectory("_master", "job@1")}/jobfile`,
    "/disco/h/ab/../../../secret.txt",
    "/proxy/h/GET/disco/h/%2e%2e/secret.txt",
    "/proxy/../GET/secret.txt",
    "/proxy/h/GET//secret.txt",
    "//secret.txt",
    "/disco//h/secret.txt",
  ]) {
    test(`87: ${path} is no file`, async () => {
      const answer = await at.raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      assert.ok([400, 403, 404].includes(statusOf(answer)), answer);
      assert.ok(!answer.includes("TOP SECRET"));
    });
  }

  test("86, 87: whatever is asked is answered without a fault of ours, and touches no file", async () => {
    const word = fc.oneof(
      fc.constantFrom("disco", "ctrl", "job", "new", "api", "v1", "jobs", "proxy", "h", "GET", "ab", "job@1", "ddfs"),
      fc.constantFrom(
        "joblist",
        "jobinfo",
        "rawevents",
        "kill_job",
        "save_settings",
        "results",
        "events",
        "oob",
        "tasks",
      ),
      fc.constantFrom("..", "%2e%2e", "%2f", "%00", "%0d%0a", "%", "", ".", "__proto__", "constructor", "%c0%af", "\\"),
      fc.string({ maxLength: 8 }).map((text) => encodeURIComponent(text.toWellFormed())),
    );
    const query = fc.oneof(
      fc.constantFrom("", "?", "?name=job@1", "?name=job%401&num=5", "?name=..%2f..", "?limit=-1", "?offset=1e9", "?%"),
      fc.string({ maxLength: 20 }).map((text) => `?name=${encodeURIComponent(text.toWellFormed())}`),
    );
    const body = fc.oneof(
      fc.constantFrom("", '"job@1"', '[0,["job@1"]]', "{}", "[]", "null", '{"__proto__":1}', "[".repeat(1_000), "\0"),
      fc.json({ maxDepth: 3 }),
      fc.string({ maxLength: 50 }),
    );
    const header = fc.constantFrom(
      "Content-Type: application/json",
      "Range: bytes=0-,0-,0-",
      "Range: bytes=5-1",
      "Range: bytes=-99999999999999999999",
      "Idempotency-Key: a b",
      "Last-Event-ID: -5",
      "Authorization: Basic !!!",
      "If-None-Match: *",
      "X: y",
    );
    const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND");
    const before = await everything(at);
    await fc.assert(
      fc.asyncProperty(
        method,
        fc.array(word, { maxLength: 7 }),
        query,
        header,
        body,
        async (verb, words, asked, line, sent) => {
          const path = `/${words.join("/")}${asked}`.replace(/[^\x21-\x7e]/g, "");
          const length = verb === "GET" || verb === "HEAD" ? 0 : Buffer.byteLength(sent);
          const text = `${verb} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${line}\r\nContent-Length: ${length}\r\n\r\n`;
          const answer = await at.raw(text + (length === 0 ? "" : sent));
          const status = statusOf(answer);
          assert.ok(status >= 200 && status < 500, `${text}${sent}\n${answer}`);
          assert.ok(!answer.includes("TOP SECRET"), text);
        },
      ),
      { numRuns: 600 },
    );
    assert.deepEqual(await everything(at), before);
  });
});

async function everything({ master }: TestServer): Promise<string[]> {
  const names = await readdir(master.folder, { recursive: true });
  return names.filter((name) => !name.startsWith("incoming")).sort();
}
