/** The server itself: where it listens, what it says of itself, and how it ends. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { occupiedPort, openServer, openSocket, type TestServer } from "./server.test-kit.ts";

let at: TestServer;
before(async () => {
  at = await openServer();
});
after(() => at.close());

describe("where a server listens", () => {
  test("a port that is taken is an error that says whom to ask", async () => {
    const other = await occupiedPort();
    try {
      await assert.rejects(openServer({ settings: { port: other.port } }), (error: Error & { hint?: string }) => {
        assert.match(error.message, new RegExp(`port ${other.port} of 127.0.0.1 is in use`));
        assert.match(error.hint ?? "", /disco status.*--port/);
        return "code" in error && error.code === "port-in-use";
      });
    } finally {
      other.close();
    }
  });

  test("an address that is not this machine's is an error that says what to change", async () => {
    await assert.rejects(openServer({ settings: { host: "192.0.2.1", tokens: { admin: "t" } } }), { code: "bad-host" });
  });

  test("81: an address that others reach needs a token", async () => {
    for (const host of ["0.0.0.0", "::", "192.0.2.1", "no-such-name.invalid"]) {
      await assert.rejects(openServer({ settings: { host } }), (error: Error & { code?: string; hint?: string }) => {
        assert.match(error.hint ?? "", /disco token new/);
        return error.code === "token-needed";
      });
    }
    for (const host of ["127.0.0.1", "127.0.0.2", "localhost"])
      await (await openServer({ settings: { host } })).close();
    const open = await openServer({ settings: { host: "0.0.0.0", tokens: { read: "t" } } });
    assert.match(open.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await open.ask("/disco/version")).status, 401);
    await open.close();
  });
});

describe("a trusted network", () => {
  const tokens = { read: "read-4711", admin: "admin-4711" };
  const settings = { tokens, trustedNetworks: ["127.0.0.0/8"] };

  test("is asked for no token, and keeps its tokens of tags", async () => {
    await using trusting = await openServer({ settings });
    const basic = { authorization: `Basic ${Buffer.from("token:job").toString("base64")}` };
    for (let i = 0; i < 30; i++) assert.equal((await trusting.ask("/disco/version", { headers: basic })).status, 200);
    const blacklisted = await trusting.ask("/disco/ctrl/blacklist", { method: "POST", body: '"h"' });
    assert.equal(blacklisted.status, 200);
  });

  test("does not make more of a token that is shown than it is", async () => {
    await using trusting = await openServer({ settings });
    const headers = { authorization: `Bearer ${tokens.read}` };
    assert.equal((await trusting.ask("/disco/version", { headers })).status, 200);
    const asked = await trusting.ask("/disco/ctrl/blacklist", { method: "POST", body: '"h"', headers });
    assert.equal(asked.status, 403);
  });

  test("has browsers too, which other pages may not use, and nodes join by their token", async () => {
    await using trusting = await openServer({ settings, bus: () => Promise.reject(new Error("not reached")) });
    const headers = { origin: "http://evil.example" };
    assert.equal((await trusting.ask("/disco/version", { headers })).status, 403);
    assert.equal((await trusting.ask("/bus/alpha", { headers: { "x-disco-session": "s" } })).status, 401);
  });

  test("that is another one changes nothing", async () => {
    await using other = await openServer({ settings: { tokens, trustedNetworks: ["10.0.0.0/8"] } });
    assert.equal((await other.ask("/disco/version")).status, 401);
  });
});

describe("what a server says of itself", () => {
  test("health is the process and its instance, and nothing else", async () => {
    const { status, json } = await at.ask("/healthz");
    const { version, ...rest } = json() as { version: string };
    assert.deepEqual([status, rest], [200, { status: "ok", instance: "instance-1", pid: process.pid }]);
    assert.match(version, /^\d+\.\d+\.\d+/);
    assert.equal((await at.ask("/healthz", { method: "HEAD" })).status, 200);
    const posted = await at.ask("/healthz", { method: "POST" });
    assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"]);
  });

  test("it is ready, or says why not, without its insides", async () => {
    assert.equal((await at.ask("/readyz")).status, 200);
    at.master.readOnly = true;
    const { status, json, text } = await at.ask("/readyz");
    at.master.readOnly = false;
    assert.deepEqual([status, json()], [503, { status: "not ready", reason: "read-only, disk-full" }]);
    assert.ok(!text.includes("secret"));
    const starting = await openServer({ unready: () => "starting" });
    assert.deepEqual((await starting.ask("/readyz")).json(), { status: "not ready", reason: "starting" });
    await starting.close();
  });

  test("probes need no token, metrics do", async () => {
    await using guarded = await openServer({ settings: { tokens: { admin: "sesame" } } });
    assert.equal((await guarded.ask("/healthz")).status, 200);
    assert.equal((await guarded.ask("/readyz")).status, 200);
    assert.equal((await guarded.ask("/metrics")).status, 401);
    assert.equal((await guarded.ask("/metrics", { headers: { authorization: "Bearer sesame" } })).status, 200);
  });

  test("metrics are what the master counts, the process costs, and the server was asked", async () => {
    await using fresh = await openServer();
    await fresh.ask("/disco/ctrl/joblist");
    await fresh.ask("/disco/ctrl/jobinfo?name=other");
    await fresh.ask("/disco/a/b/c?token=x");
    const { text, headers } = await fresh.ask("/metrics");
    assert.match(headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    const lines = text.split("\n");
    for (const line of [
      'disco_jobs{status="active"} 0',
      'disco_jobs{status="ready"} 1',
      'disco_jobs{status="dead"} 2',
      'disco_tasks{state="waiting"} 4',
      'disco_tasks{state="queued"} 5',
      'disco_tasks{state="running"} 3',
      'disco_nodes{state="connected"} 1',
      'disco_nodes{state="blacklisted"} 1',
      "disco_slots 2",
      "disco_slots_used 1",
      "disco_submissions_total 7",
      "disco_journal_appends_total 5",
      "disco_journal_bytes_total 500",
      "disco_read_only 0",
      'disco_http_requests_total{route="/disco/ctrl/joblist",method="GET",status="200"} 1',
      'disco_http_requests_total{route="/disco/ctrl/jobinfo",method="GET",status="404"} 1',
      'disco_http_requests_total{route="other",method="GET",status="400"} 1',
      'disco_http_refused_total{code="token-in-url"} 1',
      'disco_http_request_seconds_count{route="/disco/ctrl/joblist"} 1',
    ]) {
      assert.ok(lines.includes(line), `${line} is not in\n${text}`);
    }
    assert.match(text, /^disco_memory_bytes\{kind="resident"\} \d{7,}$/m);
    assert.match(text, /^disco_event_loop_lag_seconds\{quantile="0.99"\} [\d.e-]+$/m);
    for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) assert.match(name ?? "", /^disco_/);
    assert.ok(!text.includes("disco_alarms{"));
    fresh.master.readOnly = true;
    assert.match((await fresh.ask("/metrics")).text, /^disco_alarms\{code="disk-full"\} 1$/m);
  });

  test("each request is a line of the log, without its query and its body", async () => {
    await using fresh = await openServer();
    await fresh.ask("/disco/ctrl/kill_job?name=inquery", { method: "POST", body: '"inbody"' });
    const line = fresh.lines.find((text) => text.includes("kill_job")) ?? "";
    const { method, path, status, msg } = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual([method, path, status, msg], ["POST", "/disco/ctrl/kill_job", 200, "request"]);
    assert.ok(!fresh.lines.join("").includes("inquery") && !fresh.lines.join("").includes("inbody"));
  });
});

describe("the end of a server", () => {
  test("lets a short request finish, cuts streams and idle connections, and takes no new ones", async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const fresh = await openServer({
      limits: { closeGraceMs: 60_000, keepAliveMs: 60_000 },
      api: async (request, response) => {
        if (request.url === "/api/v1/stream") {
          response.writeHead(200, { "content-type": "text/event-stream" }).write(": hello\n\n");
          return;
        }
        begun.resolve();
        await go.promise;
        response.end("finished");
      },
    });
    const idle = await openSocket(fresh);
    idle.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (!idle.got.includes("instance-1")) await new Promise(setImmediate);
    const stream = await openSocket(fresh);
    stream.write("GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (!stream.got.includes("hello")) await new Promise(setImmediate);
    const short = fresh.ask("/api/v1/short");
    await begun.promise;
    const ended = [idle, stream].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    const closed = fresh.close();
    await Promise.all(ended);
    assert.ok(!stream.got.endsWith("0\r\n\r\n"), "a stream that is cut does not look complete");
    await assert.rejects(fetch(`${fresh.url}/healthz`));
    go.resolve();
    assert.equal((await short).text, "finished");
    await closed;
  });

  test("a handler that never ends is cut off", async () => {
    const begun = Promise.withResolvers<void>();
    const fresh = await openServer({
      limits: { closeGraceMs: 50 },
      api: () => {
        begun.resolve();
        return new Promise(() => undefined);
      },
    });
    const asked = fresh.ask("/api/v1/never").catch(() => "cut");
    await begun.promise;
    await fresh.close();
    assert.equal(await asked, "cut");
  });

  test("a handler that throws is an answer, and the server goes on", async () => {
    const fresh = await openServer({ api: () => Promise.reject(new Error("inside /secret")) });
    const { status, json, text } = await fresh.ask("/api/v1/x");
    assert.equal(status, 500);
    assert.deepEqual(json(), { error: { code: "internal-error", message: "Internal server error" } });
    assert.ok(!text.includes("secret"));
    assert.ok(fresh.lines.some((line) => line.includes("inside /secret")));
    assert.equal((await fresh.ask("/healthz")).status, 200);
    await fresh.close();
  });
});
