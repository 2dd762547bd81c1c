import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import type { CommError, DiscoError, JobError } from "../../errors.ts";
import { masterAddress } from "../address.ts";
import { connectMaster } from "./connect.ts";
import { failed, hangUp, json, ScriptedServer } from "./scripted-server.test-kit.ts";

const secret = "geheim-4711";

describe("a question to a master elsewhere", () => {
  it("is asked again when the connection breaks, before the answer and in the middle of it", async () => {
    await using server = await new ScriptedServer({
      "GET /api/v1/nodes": (_, response, nth) => {
        if (nth === 0) hangUp(response);
        else if (nth === 1) response.writeHead(200, { "content-length": "100" }).write("{", () => hangUp(response));
        else json(response, 200, { nodes: [] });
      },
    }).listen();
    assert.deepEqual(await (await server.connect()).nodeInfo(), []);
    assert.equal(server.times("GET /api/v1/nodes"), 3);
  });

  it("is asked again when the server asks for patience, no sooner than it says", async () => {
    const at: number[] = [];
    await using server = await new ScriptedServer({
      "GET /api/v1/nodes": (_, response, nth) => {
        at.push(performance.now());
        if (nth === 0) failed(response, 503, { code: "starting", message: "not yet" }, { "retry-after": "1" });
        else if (nth === 1) response.writeHead(502, { "content-type": "text/html" }).end("<html>Bad Gateway");
        else json(response, 200, { nodes: [] });
      },
    }).listen();
    await (await server.connect()).nodeInfo();
    assert.equal(at.length, 3);
    assert.ok((at[1] ?? 0) - (at[0] ?? 0) >= 990, `${at}`);
  });

  it("is answered by a server that comes back within the time for retries", async () => {
    await using server = await new ScriptedServer({
      "GET /api/v1/nodes": (_, response) => json(response, 200, { nodes: [] }),
    }).listen();
    const master = await server.connect();
    await server.kill();
    const asking = master.nodeInfo();
    await server.listen();
    assert.deepEqual(await asking, []);
  });

  it("fails with what to check when nobody answers for that time", async () => {
    await using server = await new ScriptedServer().listen();
    const master = await server.connect({ retrySeconds: 0.2, token: secret });
    await server.kill();
    await assert.rejects(master.nodeInfo(), (error: CommError) => {
      assert.equal(error.name, "CommError");
      assert.equal(error.code, "comm-error");
      assert.equal(error.url, server.address);
      assert.match(error.message, /^the master at disco:\/\/127\.0\.0\.1:\d+ cannot be reached: connection refused/);
      assert.match(error.hint ?? "", /disco start/);
      assert.doesNotMatch(JSON.stringify([error, error.message, error.cause]), new RegExp(secret));
      return true;
    });
    await assert.rejects(connectedTo(await freePort(), 0), { code: "comm-error" });
  });

  it("gives the error of the master as it was thrown there", async () => {
    const failure = {
      code: "user-error",
      name: "TypeError",
      message: "x is not a function",
      retry: "never",
      location: { file: "/a.ts", line: 3, column: 4 },
      frame: "> 3 | x()",
    };
    await using server = await new ScriptedServer({
      "GET /api/v1/jobs/a": (_, response) =>
        failed(response, 404, { code: "unknown-job", message: "there is no job a", hint: "look", job: "a" }),
      "POST /api/v1/jobs": (_, response) =>
        failed(response, 400, { name: "JobError", code: "bad-jobpack", message: "refused", failure, retry: "never" }),
      "GET /api/v1/jobs/a/oob/k": (_, response) =>
        failed(response, 400, { name: "DataError", code: "data-error", message: "bad", retry: "elsewhere", url: "u" }),
    }).listen();
    const master = await server.connect();
    await assert.rejects(master.jobInfo("a"), (error: DiscoError) => {
      assert.equal(error.constructor.name, "DiscoError");
      assert.deepEqual([error.code, error.hint, error.job], ["unknown-job", "look", "a"]);
      return true;
    });
    await assert.rejects(master.submit(Buffer.from("x")), (error: JobError) => {
      assert.equal(error.name, "JobError");
      assert.deepEqual(error.failure, failure);
      return true;
    });
    await assert.rejects(master.oobGet("a", "k"), { name: "DataError", retry: "elsewhere", url: "u" });
  });

  it("ends at once when it is called off", async () => {
    const asked = Promise.withResolvers<void>();
    await using server = await new ScriptedServer({ "POST /api/v1/results": () => asked.resolve() }).listen();
    const master = await server.connect();
    const stop = new AbortController();
    const waiting = master.results(["a@1:2:3", "b@1:2:3"], 60_000, stop.signal);
    await asked.promise;
    stop.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    await assert.rejects(master.results(["a@1:2:3"], 60_000, stop.signal), /enough/);
    await assert.rejects(master.results(["a@1:2:3"], 0, stop.signal), /enough/);
  });

  it("ends with the object that asks, and comes to nothing afterwards", async () => {
    const asked = Promise.withResolvers<void>();
    await using server = await new ScriptedServer({ "GET /api/v1/nodes": () => asked.resolve() }).listen();
    const master = await server.connect();
    const asking = master.nodeInfo();
    await asked.promise;
    await master.close();
    await assert.rejects(asking, { code: "closed" });
    await assert.rejects(master.nodeInfo(), { code: "closed" });
  });

  it("takes an answer of any size, and few connections for many questions", async () => {
    const inputs = Array.from({ length: 200_000 }, (_, i) => `raw://${i}`);
    const info = { name: "a", status: "active", owner: "me", submittedAt: 0, endedAt: null, stages: [], results: [] };
    const rest = { hosts: [], waits: [], reason: null, failure: null, peakRss: 0, inputs };
    await using server = await new ScriptedServer({
      "GET /api/v1/jobs/a": (_, response) => json(response, 200, { ...info, ...rest, comesLater: 1 }),
      "GET /api/v1/nodes": (_, response) => json(response, 200, { nodes: [] }),
    }).listen();
    const master = await server.connect();
    assert.equal((await master.jobInfo("a")).inputs.length, inputs.length);
    await Promise.all(Array.from({ length: 200 }, () => master.nodeInfo()));
    assert.ok(server.connections <= 16, `${server.connections} connections`);
  });
});

describe("what was meant to happen once", () => {
  it("is submitted with the same key until it is answered", async () => {
    const jobs = new Map<string, string>();
    await using server = await new ScriptedServer({
      "POST /api/v1/jobs": ({ headers }, response, nth) => {
        const key = String(headers["idempotency-key"]);
        jobs.set(key, jobs.get(key) ?? `job@1:2:${jobs.size}`);
        // The job is accepted, and the answer lost.
        if (nth < 2) hangUp(response);
        else json(response, 201, { name: jobs.get(key) });
      },
    }).listen();
    const master = await server.connect();
    assert.equal(await master.submit(Buffer.from("pack")), "job@1:2:0");
    assert.equal(server.times("POST /api/v1/jobs"), 3);
    assert.equal(jobs.size, 1);
    assert.equal(await master.submit(Buffer.from("pack")), "job@1:2:1", "another submission has another key");
    assert.equal(await master.submit(Buffer.from("pack"), { idempotencyKey: "mine" }), "job@1:2:2");
    assert.deepEqual([...jobs.keys()][2], "mine");
  });

  it("counts as done when it is unknown the second time, after an answer that was lost", async () => {
    await using server = await new ScriptedServer({
      "POST /api/v1/jobs/a/clean": (_, response, nth) => {
        if (nth === 0) hangUp(response);
        else failed(response, 404, { code: "unknown-job", message: "there is no job a" });
      },
    }).listen();
    const master = await server.connect();
    await master.clean("a");
    await assert.rejects(master.clean("a"), { code: "unknown-job" });
  });

  it("is not sent again as a raw request that may have arrived", async () => {
    await using server = await new ScriptedServer({
      "POST /disco/job/new": (_, response) => hangUp(response),
      "GET /disco/version": (_, response, nth) => (nth === 0 ? hangUp(response) : json(response, 200, "0.5.4")),
    }).listen();
    const master = await server.connect();
    await assert.rejects(master.request("/disco/job/new", { data: "pack" }), { code: "comm-error" });
    assert.equal(server.times("POST /disco/job/new"), 1);
    assert.equal(Buffer.from((await master.request("/disco/version")).body).toString(), '"0.5.4"');
  });

  it("is not sent at all when the server refuses the head of a large one", async () => {
    let received = 0;
    const server = createServer((socket: Socket) => {
      let head = "";
      socket.on("data", (bytes) => {
        received += bytes.byteLength;
        head += bytes.toString("latin1");
        if (!head.includes("\r\n\r\n")) return;
        const body = head.startsWith("GET")
          ? JSON.stringify({ error: { code: "x", message: "x" } })
          : JSON.stringify({ error: { code: "unauthorized", message: "the token is wrong" } });
        const status = head.startsWith("GET") ? "200 OK" : "401 Unauthorized";
        socket.write(
          `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        head = "";
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as { port: number };
      const { Questions } = await import("./questions.ts");
      const { submitJob } = await import("../../protocol/api/jobs.ts");
      const questions = new Questions({ urls: [`http://127.0.0.1:${port}`], shown: "it", retryMs: 0 });
      await assert.rejects(questions.ask(submitJob, { bytes: Buffer.alloc(8 * 1024 * 1024) }), {
        code: "unauthorized",
      });
      questions.close();
      assert.ok(received < 64 * 1024, `${received} bytes were sent`);
    } finally {
      server.close();
    }
  });
});

describe("an address that is not that of a master", () => {
  it("where nobody listens is given up after a few seconds, however long retries may take", async () => {
    const begun = performance.now();
    await assert.rejects(connectedTo(await freePort(), 600), {
      name: "CommError",
      code: "comm-error",
      hint: /disco start/,
    });
    const ms = performance.now() - begun;
    assert.ok(ms > 1_000 && ms < 10_000, `${ms} ms`);
  });

  it("of a web server is told from that of a master", async () => {
    await using server = await new ScriptedServer({
      "GET /api/v1/master": (_, response) =>
        void response.writeHead(404, { "content-type": "text/html" }).end("<!doctype html><h1>Not here</h1>"),
    }).listen();
    await assert.rejects(server.connect(), {
      name: "CommError",
      code: "not-disco",
      message: /web page \(status 404\)/,
    });
  });

  it("of a server that answers every path with a page is told as well", async () => {
    await using server = await new ScriptedServer({
      "GET /api/v1/master": (_, response) => void response.writeHead(200).end("<html>hello"),
    }).listen();
    await assert.rejects(server.connect(), { code: "not-disco", message: /is no JSON/ });
  });

  it("of something that speaks another protocol is told at once", async () => {
    const server = createServer((socket) => void socket.end("220 mail.example ESMTP\r\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as { port: number };
      await assert.rejects(connectedTo(port, 60), { code: "not-disco", message: /no HTTP/ });
      const address = masterAddress(`https://127.0.0.1:${port}`);
      assert.ok(address);
      await assert.rejects(connectMaster(address, { retrySeconds: 60 }), { code: "tls", hint: /NODE_EXTRA_CA_CERTS/ });
    } finally {
      server.close();
    }
  });

  it("of a Disco that has no such API is a matter of versions, and so is an answer in another form", async () => {
    await using old = await new ScriptedServer({
      "GET /api/v1/master": (_, response) => void response.writeHead(404).end("Not found."),
      "GET /disco/version": (_, response) => json(response, 200, "0.5.4"),
    }).listen();
    await assert.rejects(old.connect(), { code: "version-mismatch", message: /Disco 0\.5\.4/ });
    await using other = await new ScriptedServer({
      "GET /api/v1/master": (_, response) => json(response, 200, { version: 2 }),
    }).listen();
    await assert.rejects(other.connect(), { code: "version-mismatch", hint: /same version/ });
  });
});

describe("the token", () => {
  it("goes along in a header only, and is never in an error", async () => {
    await using server = await new ScriptedServer({
      "GET /api/v1/nodes": (_, response) =>
        failed(response, 403, { code: "forbidden", message: "this needs a token with the scope admin" }),
      "GET /api/v1/settings": (_, response) =>
        failed(response, 401, { code: "unauthorized", message: "the token is wrong" }),
      "GET /api/v1/config": (_, response) => void response.writeHead(401).end("no"),
    }).listen();
    const master = await server.connect({ token: secret });
    const attempts: [Promise<unknown>, string][] = [
      [master.nodeInfo(), "forbidden"],
      [master.settings(), "unauthorized"],
      [master.configTable(), "unauthorized"],
    ];
    for (const [attempt, code] of attempts) {
      await assert.rejects(attempt, (error: CommError) => {
        assert.equal(error.name, "CommError");
        assert.equal(error.code, code);
        assert.match(error.hint ?? "", /DISCO_TOKEN/);
        assert.doesNotMatch(JSON.stringify([error, error.message, error.stack]), new RegExp(secret));
        return true;
      });
    }
    for (const { headers, path } of server.asked) {
      assert.equal(headers.authorization, `Bearer ${secret}`);
      assert.ok(!path.includes(secret));
    }
  });
});

function connectedTo(port: number, retrySeconds: number): Promise<unknown> {
  const address = masterAddress(`disco://127.0.0.1:${port}`);
  assert.ok(address);
  return connectMaster(address, { retrySeconds });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
