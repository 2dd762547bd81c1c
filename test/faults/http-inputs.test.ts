/** Inputs from servers that fail, lie, cut or lead astray. What arrives is whole, or the job says which address gave what. */
import assert from "node:assert/strict";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { type Job, resultIterator } from "../../src/index.ts";
import { deathOf, type Engine, openEngine } from "./engine.test-kit.ts";

const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
const body = `${lines.join("\n")}\n`;

type Answer = (request: http.IncomingMessage, response: http.ServerResponse, visit: number) => void;

const half = body.length >> 1;

/** Sends the first half of what it promised, and hangs up. */
function cut(response: http.ServerResponse, from = 0): void {
  response.write(body.slice(from, from + half), () => response.destroy());
}

const answers: Readonly<Record<string, Answer>> = {
  "/good": (_, response) => response.end(body),
  "/404": (_, response) => response.writeHead(404).end("<html>an error page</html>\n"),
  "/403": (_, response) => response.writeHead(403).end("no\n"),
  "/500": (_, response) => response.writeHead(500).end("broken\n"),
  "/500-twice": (_, response, visit) => (visit < 2 ? response.writeHead(500).end("broken\n") : response.end(body)),
  "/cut": (_, response) => cut(response.writeHead(200, { "content-length": body.length })),
  "/cut-chunked": (_, response) => cut(response.writeHead(200)),
  "/cut-once": (request, response, visit) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const headers = { etag: '"1"', "content-length": body.length - from };
    if (visit === 0) cut(response.writeHead(200, headers));
    else {
      const range = { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` };
      response.writeHead(206, { ...headers, ...range }).end(body.slice(from));
    }
  },
  "/loop": (_, response) => response.writeHead(302, { location: "/loop-back" }).end(),
  "/loop-back": (_, response) => response.writeHead(301, { location: "/loop" }).end(),
  "/astray": (_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end(),
  "/moved": (_, response) => response.writeHead(307, { location: "/good" }).end(),
  "/bad-gzip": (_, response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(body).subarray(0, 5_000)),
};

/** Servers that no HTTP library would let us write: the status line and headers as they stand, then the body. */
const liars: Readonly<Record<string, string>> = {
  "/promises-more": `HTTP/1.1 200 OK\r\ncontent-length: ${body.length + 7}\r\n\r\n${body}`,
  "/promises-less": `HTTP/1.1 200 OK\r\ncontent-length: ${half}\r\n\r\n${body}`,
  "/two-lengths": `HTTP/1.1 200 OK\r\ncontent-length: ${half}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  "/no-http": "good day\r\n\r\n",
  "/bad-chunks": `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`,
  "/silent": "",
};

const visits = new Map<string, number>();
const server = http.createServer((request, response) => {
  const path = request.url ?? "";
  const visit = visits.get(path) ?? 0;
  visits.set(path, visit + 1);
  answers[path]?.(request, response, visit);
});
const liar = net.createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", (request) => socket.end(liars[request.toString("latin1").split(" ")[1] ?? ""] ?? ""));
});

let engine: Engine;
let base = "";
let liarBase = "";

before(async () => {
  engine = await openEngine();
  for (const each of [server, liar]) await new Promise<void>((resolve) => each.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  liarBase = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
  liar.close();
});

function read(input: string | readonly string[], retries = 0): Promise<Job<string, number>> {
  return engine.disco.newJob("reads", { input: [input], map: (line) => [[line, 1] as const], retries });
}

async function linesOf(job: Job<string, number>): Promise<string[]> {
  return (await resultIterator(job).toArray()).map(([line]) => line);
}

describe("a job that reads from a server", { timeout: 120_000 }, () => {
  for (const path of ["/500-twice", "/cut-once", "/moved"]) {
    test(`gets all of ${path}`, async () => {
      assert.deepEqual(await linesOf(await read(base + path)), lines);
    });
  }

  const failures: [string, string, RegExp][] = [
    ["/404", "not-found", /the server answered 404/],
    ["/403", "bad-status", /the server answered 403/],
    ["/500", "download-failed", /the server answered 500.*tried 5 times/],
    ["/cut", "download-failed", new RegExp(`cut at byte ${half} of ${body.length}`)],
    ["/cut-chunked", "download-failed", new RegExp(`cut at byte ${half}`)],
    ["/loop", "bad-redirect", /more than 10 redirects/],
    ["/astray", "bad-redirect", /leads to file:\/\/\/etc\/passwd, which is no http address/],
    ["/bad-gzip", "bad-compressed", /gzip/],
  ];
  for (const [path, code, message] of failures) {
    test(`dies of ${path} with ${code} and the address`, async () => {
      const error = await deathOf(await read(base + path));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.equal(error.url, base + path);
    });
  }

  const lies: [string, RegExp][] = [
    ["/promises-more", /cut at byte \d+ of \d+/],
    ["/promises-less", /sent more/],
    ["/two-lengths", /Parse Error|cannot be reached/],
    ["/no-http", /Parse Error|cannot be reached/],
    ["/bad-chunks", /Parse Error|cut at byte 0/],
    ["/silent", /hang up|cannot be reached/],
  ];
  for (const [path, message] of lies) {
    test(`dies of ${path}, never taking a part for the whole`, async () => {
      const error = await deathOf(await read(liarBase + path));
      assert.match(error.message, message);
      assert.match(error.message, new RegExp(`${liarBase}${path}`));
    });
  }

  for (const bad of ["/404", "/500", "/cut", "/loop", "/bad-gzip"]) {
    test(`is none the worse for a replica ${bad} among good ones, and reads no line twice`, async () => {
      assert.deepEqual(await linesOf(await read([base + bad, `${base}/good`])), lines);
    });
  }

  test("names every replica and its reason when none can be read", async () => {
    const error = await deathOf(await read([`${base}/404`, `${base}/403`]));
    assert.equal(error.code, "no-replica");
    assert.match(error.message, /none of 2 replicas can be read/);
    assert.match(error.message, /\/404: the server answered 404[^]*\/403: the server answered 403/);
  });

  test("tries again as often as its retries say", async () => {
    visits.set("/404", 0);
    await deathOf(await read(`${base}/404`, 2));
    assert.equal(visits.get("/404"), 3);
  });
});
