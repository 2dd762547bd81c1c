/**
 * Clients that send too much, too slowly, or not what HTTP is. They write to sockets: no library would send such requests. Numbers are
 * those of `docs/reliability.md`.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createApi } from "../../src/master/http/api/api.ts";
import {
  openServer,
  openSocket,
  statusOf,
  type TestServer,
  type TestServerOptions,
} from "../../src/master/http/server.test-kit.ts";

const head = "Host: localhost\r\nConnection: close\r\n";
const post = (path: string, headers: string, body = ""): string =>
  `POST ${path} HTTP/1.1\r\n${head}${headers}\r\n${body}`;

function openLimited(options: TestServerOptions = {}): Promise<TestServer> {
  return openServer({
    settings: { packBytesMax: 10_000_000 },
    compose: (master) => ({ api: createApi(master, { packBytesMax: 10_000_000 }) }),
    ...options,
  });
}

function ended(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once("close", resolve));
}

function drained(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once("drain", resolve));
}

describe("52, 96: requests that two parsers would read differently", () => {
  let at: TestServer;
  before(async () => {
    at = await openLimited();
  });
  after(() => at.close());

  const smuggled = "GET /disco/ctrl/joblist HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const [title, text] of [
    ["two lengths", post("/disco/ctrl/kill_job", "Content-Length: 3\r\nContent-Length: 7\r\n", '"j"')],
    ["two equal lengths", post("/disco/ctrl/kill_job", "Content-Length: 3\r\nContent-Length: 3\r\n", '"j"')],
    ["a list of lengths", post("/disco/ctrl/kill_job", "Content-Length: 3, 3\r\n", '"j"')],
    [
      "a length and chunks",
      post("/disco/ctrl/kill_job", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${smuggled}`),
    ],
    [
      "chunks and a length",
      post("/disco/ctrl/kill_job", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", `0\r\n\r\n${smuggled}`),
    ],
    ["chunked, but not quite", post("/disco/ctrl/kill_job", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")],
    ["chunked twice", post("/disco/ctrl/kill_job", "Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")],
    ["another encoding besides", post("/disco/ctrl/kill_job", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")],
    ["a negative length", post("/disco/ctrl/kill_job", "Content-Length: -3\r\n", '"j"')],
    ["a length in hexadecimal", post("/disco/ctrl/kill_job", "Content-Length: 0x3\r\n", '"j"')],
    ["a length beyond numbers", post("/disco/ctrl/kill_job", "Content-Length: 99999999999999999999999\r\n", '"j"')],
    ["a space before the colon", post("/disco/ctrl/kill_job", "Content-Length : 3\r\n", '"j"')],
    ["a folded header", post("/disco/ctrl/kill_job", "X: a\r\n b\r\nContent-Length: 3\r\n", '"j"')],
    ["a bare line feed", `POST /disco/ctrl/kill_job HTTP/1.1\nHost: localhost\nContent-Length: 3\n\n"j"`],
    ["NUL in a header", post("/disco/ctrl/kill_job", "X: a\0b\r\nContent-Length: 3\r\n", '"j"')],
    [
      "chunk sizes that are none",
      post("/disco/ctrl/kill_job", "Transfer-Encoding: chunked\r\n", 'zz\r\n"j"\r\n0\r\n\r\n'),
    ],
    [
      "a chunk that is longer than it says",
      post("/disco/ctrl/kill_job", "Transfer-Encoding: chunked\r\n", '2\r\n"j"\r\n0\r\n\r\n'),
    ],
    [
      "a chunk size beyond numbers",
      post("/disco/ctrl/kill_job", "Transfer-Encoding: chunked\r\n", `${"f".repeat(17)}\r\n"j"`),
    ],
    ["no host", `POST /disco/ctrl/kill_job HTTP/1.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"j"`],
    ["two hosts", post("/disco/ctrl/kill_job", "Host: evil.example\r\nContent-Length: 3\r\n", '"j"')],
    ["an absolute address", `GET http://evil.example/disco/version HTTP/1.1\r\n${head}\r\n`],
    ["no HTTP", "good day\r\n\r\n"],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["a version to come", `GET /disco/version HTTP/7.0\r\n${head}\r\n`],
    ["a tunnel", `CONNECT evil.example:80 HTTP/1.1\r\n${head}\r\n`],
  ] as const) {
    test(`${title}: refused, and the connection ends`, async () => {
      const before = at.master.calls.length;
      const answer = await at.raw(text, { hangUp: title === "TLS" });
      const status = statusOf(answer);
      assert.ok(answer === "" || (status >= 400 && status < 500) || status === 501, answer);
      assert.equal(answer.match(/HTTP\/1\.1/g)?.length ?? 0, answer === "" ? 0 : 1);
      assert.equal(at.master.calls.length, before);
    });
  }

  test("52: a body shorter than announced does nothing", async () => {
    const before = at.master.calls.length;
    await at.raw(post("/disco/ctrl/kill_job", "Content-Length: 100\r\n", '"job@1"'), { hangUp: true });
    assert.equal(at.master.calls.length, before);
  });

  test("52: a body longer than announced is cut where it was announced to end", async () => {
    const answer = await at.raw(post("/disco/ctrl/kill_job", "Content-Length: 7\r\n", `"job@1"${smuggled}`));
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
    assert.deepEqual(at.master.calls.at(-1), ["kill", "job@1"]);
  });

  for (const range of [
    `bytes=${Array.from({ length: 1_000 }, () => "0-").join(",")}`,
    "bytes=5-1",
    "bytes=-",
    "bytes=a-b",
    "bytes=0-99999999999999999999999999",
    "bytes=99999999999999999999999999-",
    "lines=0-1",
    "bytes=--1",
  ]) {
    test(`96: Range ${range.slice(0, 40)} is ignored or taken for what the file has`, async () => {
      for (const path of ["/disco/ctrl/rawevents?name=job@1", "/disco/ctrl/parameters?name=job@1"]) {
        const answer = await at.raw(`GET ${path} HTTP/1.1\r\n${head}Range: ${range}\r\n\r\n`);
        assert.ok([200, 206, 416].includes(statusOf(answer)), answer);
        assert.ok(answer.length < 5_000);
      }
    });
  }
});

describe("85: more than fits", { timeout: 120_000 }, () => {
  let at: TestServer;
  before(async () => {
    at = await openLimited();
  });
  after(() => at.close());

  test("headers of 20 KB, or a million of them: 431", async () => {
    const large = await at.raw(`GET /disco/version HTTP/1.1\r\n${head}X: ${"x".repeat(20_000)}\r\n\r\n`);
    assert.equal(statusOf(large), 431);
    const socket = await openSocket(at);
    const over = ended(socket);
    socket.write(`GET /disco/version HTTP/1.1\r\n${head}`);
    for (let i = 0; i < 1_000_000 && !socket.destroyed && socket.got === ""; i += 100) {
      const more = socket.write("a: b\r\n".repeat(100));
      if (!more) await Promise.race([drained(socket), over]);
    }
    while (!socket.destroyed) await new Promise(setImmediate);
    assert.equal(statusOf(socket.got), 431);
    const many = await at.raw(`GET /disco/version HTTP/1.1\r\n${head}${"a: b\r\n".repeat(150)}\r\n`);
    assert.equal(statusOf(many), 431);
  });

  test("an address of 5 KB: 414", async () => {
    const answer = await at.raw(`GET /disco/ctrl/jobinfo?name=${"a".repeat(5_000)} HTTP/1.1\r\n${head}\r\n`);
    assert.equal(statusOf(answer), 414);
  });

  for (const path of ["/disco/ctrl/kill_job", "/api/v1/results"]) {
    const json = "Content-Type: application/json\r\n";
    test(`10 GB announced to ${path}: 413 before a byte is read`, async () => {
      const answer = await at.raw(post(path, `${json}Content-Length: 10000000000\r\n`));
      assert.equal(statusOf(answer), 413);
    });

    test(`endless chunks to ${path}: 413, and the memory stays`, async () => {
      const socket = await openSocket(at);
      const over = ended(socket);
      socket.write(post(path, `${json}Transfer-Encoding: chunked\r\n`));
      // Bytes, not text: what the sender would copy for each write is not the server's memory.
      const chunk = Buffer.from(`10000\r\n${" ".repeat(0x10000)}\r\n`);
      const rss = process.memoryUsage().rss;
      let sent = 0;
      while (!socket.destroyed && sent < 2_000_000_000) {
        sent += chunk.length;
        if (!socket.write(chunk)) await Promise.race([drained(socket), over]);
      }
      assert.equal(statusOf(socket.got), 413);
      const grown = process.memoryUsage().rss - rss;
      // Garbage of what was read and dropped waits for its collection; a server that keeps what it gets grows by all of it.
      assert.ok(grown < Math.max(100_000_000, sent / 4), `${sent} bytes were sent, the process grew by ${grown}`);
    });

    test(`JSON of a million brackets to ${path}: 400`, async () => {
      const body = "[".repeat(1_000_000);
      assert.equal(statusOf(await at.raw(post(path, `${json}Content-Length: ${body.length}\r\n`, body))), 400);
    });
  }

  test("a body where none belongs: 400", async () => {
    const answer = await at.raw(`GET /disco/version HTTP/1.1\r\n${head}Content-Length: 5\r\n\r\nhello`);
    assert.equal(statusOf(answer), 400);
  });

  test("more connections than are taken are ended, the others go on", async () => {
    await using few = await openLimited({ limits: { connectionsMax: 3 } });
    const first = await Promise.all([openSocket(few), openSocket(few), openSocket(few)]);
    const more = await Promise.all([openSocket(few), openSocket(few)]);
    await Promise.all(more.map((socket) => socket.destroyed || ended(socket)));
    first[0].write(`GET /disco/version HTTP/1.1\r\n${head}\r\n`);
    while (!first[0].destroyed) await new Promise(setImmediate);
    assert.match(first[0].got, /"0\.5\.4"$/);
    for (const socket of first) socket.destroy();
    assert.ok(few.lines.some((line) => line.includes("too many connections")));
  });
});

describe("50: slower than anybody waits", { timeout: 120_000 }, () => {
  const limits = {
    headersTimeoutMs: 200,
    keepAliveMs: 200,
    bodyGraceMs: 200,
    bodyBytesPerSecondMin: 1_000,
    watchEveryMs: 50,
  };
  let at: TestServer;
  before(async () => {
    at = await openLimited({ limits });
  });
  after(() => at.close());

  test("a connection that says nothing is ended", async () => {
    await ended(await openSocket(at));
  });

  test("headers that trickle are ended", async () => {
    const socket = await openSocket(at);
    const over = ended(socket);
    socket.write("GET /disco/version HTTP/1.1\r\n");
    const timer = setInterval(() => socket.write("X: y\r\n"), 20);
    await over;
    clearInterval(timer);
    assert.ok(socket.got === "" || statusOf(socket.got) === 408, socket.got);
  });

  for (const path of ["/disco/ctrl/kill_job", "/disco/job/new", "/api/v1/jobs", "/api/v1/results"]) {
    test(`a body to ${path} that trickles is 408, and leaves nothing`, async () => {
      const before = at.master.calls.length + at.master.packs.length;
      const socket = await openSocket(at);
      const over = ended(socket);
      const type = path.endsWith("results") ? "Content-Type: application/json\r\n" : "";
      socket.write(post(path, `${type}Content-Length: 100000\r\n`, '"'));
      const timer = setInterval(() => socket.write("a"), 20);
      await over;
      clearInterval(timer);
      assert.equal(statusOf(socket.got), 408, socket.got);
      assert.equal(at.master.calls.length + at.master.packs.length, before);
    });
  }

  test("a connection that waits for its next request is ended", async () => {
    const socket = await openSocket(at);
    const over = ended(socket);
    socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await over;
    assert.equal(statusOf(socket.got), 200);
  });

  test("a client that does not read its answer is cut off", async () => {
    await using slow = await openLimited({ limits: { stallMs: 200 } });
    const name = "x".repeat(100_000);
    slow.master.list = Array.from({ length: 300 }, () => ({ name, status: "ready" as const, submittedAt: 0 }));
    const line = JSON.stringify({ ...slow.master.list[0] });
    await writeFile(
      join(slow.master.folder, "events"),
      `{"time":"","host":"","message":"${name}","line":${line}}\n`.repeat(150),
    );
    for (const path of ["/disco/ctrl/joblist", "/disco/ctrl/rawevents?name=job@1"]) {
      const socket = await openSocket(slow);
      const over = ended(socket);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      socket.pause();
      const seen = slow.lines.length;
      const done = (): boolean => slow.lines.slice(seen).some((text) => text.includes('"msg":"request"'));
      while (!done()) await new Promise(setImmediate);
      socket.resume();
      await over;
      assert.ok(socket.got.length < 30_000_000, path);
    }
  });

  test("who waits for an answer is not slow", async () => {
    const asked = at.ask("/disco/ctrl/get_results", { method: "POST", body: '[60000,["slow"]]' });
    const settled = Promise.race([asked.then(() => "answered"), ended(await openSocket(at)).then(() => "time passed")]);
    assert.equal(await settled, "time passed");
    await at.close();
    assert.equal((await asked).status, 200);
    at = await openLimited({ limits });
  });
});
