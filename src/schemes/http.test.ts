import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";
import type { AddressInfo } from "node:net";
import net from "node:net";
import { after, before, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";

/**
 * Servers run in this process, whose event loop must turn while a worker's blocks: so the reader is a child process, as in
 * real life.
 */
const reader = `
const { openUrl } = await import(process.env.OPEN);
try {
  const chunks = [...openUrl(process.env.URL_TO_READ, {})];
  console.log(JSON.stringify({ text: Buffer.concat(chunks).toString("latin1") }));
} catch (error) {
  console.log(JSON.stringify({ code: error.code, name: error.name, message: error.message, url: error.url }));
}`;

interface Result {
  readonly text?: string;
  readonly code?: string;
  readonly name?: string;
  readonly message?: string;
}

function readBlocking(url: string): Promise<Result> {
  const env = { ...process.env, OPEN: new URL("./open.ts", import.meta.url).href, URL_TO_READ: url };
  const child = spawn(process.execPath, ["--input-type=module", "-e", reader], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", () => resolve(JSON.parse(output) as Result));
  });
}

const body = Array.from({ length: 60_000 }, (_, i) => `line ${i}\n`).join("");
const seen: Record<string, string[]> = {};
let raw: net.Server;
let rawBase = "";
let server: http.Server;
let base = "";

const routes: Record<string, (request: http.IncomingMessage, response: http.ServerResponse, visit: number) => void> = {
  "/whole": (_, response) => response.end(body),
  "/empty": (_, response) => response.end(),
  "/404": (_, response) => response.writeHead(404).end("an error page"),
  "/busy": (_, response, visit) => (visit < 2 ? response.writeHead(503).end() : response.end("at last")),
  "/redirect": (_, response) => response.writeHead(302, { location: "/whole" }).end(),
  "/loop": (_, response) => response.writeHead(302, { location: "/loop" }).end(),
  "/gzip": (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(body)),
  "/zstd": (_, response) => response.writeHead(200, { "content-encoding": "zstd" }).end(zstdCompressSync(body)),
  "/cut-resumable": (request, response, visit) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const headers = { etag: '"v1"', "content-length": body.length - from };
    if (from === 0) response.writeHead(200, headers);
    else response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${body.length - 1}/${body.length}` });
    if (visit < 3) response.write(body.slice(from, from + 150_000), () => response.destroy());
    else response.end(body.slice(from));
  },
  "/cut-plain": (_, response, visit) => {
    response.writeHead(200, { "content-length": body.length });
    if (visit < 2) response.write(body.slice(0, 100_000 * (visit + 1)), () => response.destroy());
    else response.end(body);
  },
  "/changes": (_, response, visit) => {
    response.writeHead(200, { "content-length": body.length });
    if (visit === 0) response.write(body.slice(0, 100_000), () => response.destroy());
    else response.end(body.replaceAll("line", "LINE"));
  },
  "/cut-always": (_, response) => {
    response.writeHead(200, { "content-length": body.length });
    response.write(body.slice(0, 1_000), () => response.destroy());
  },
};

before(async () => {
  server = http.createServer((request, response) => {
    const url = request.url ?? "";
    seen[url] ??= [];
    const visit = seen[url].push(request.headers.range ?? "") - 1;
    routes[url]?.(request, response, visit);
  });
  raw = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.end(
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello, and far more than was announced",
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  rawBase = `http://127.0.0.1:${(raw.address() as AddressInfo).port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
  raw.close();
});

for (const path of ["/whole", "/redirect", "/gzip", "/zstd", "/cut-resumable", "/cut-plain"]) {
  test(`${path} arrives whole, byte by byte`, async () => {
    const result = await readBlocking(base + path);
    assert.equal(result.message, undefined);
    assert.ok(result.text === body);
  });
}

test("a download that was cut goes on where it broke off", () => {
  assert.deepEqual(
    seen["/cut-resumable"]?.map((range) => range.startsWith("bytes=")),
    [false, true, true, true],
  );
});

test("an empty body is no records, and a busy server is asked again", async () => {
  assert.equal((await readBlocking(`${base}/empty`)).text, "");
  assert.equal((await readBlocking(`${base}/busy`)).text, "at last");
});

const failures: [string, string, RegExp][] = [
  ["/404", "not-found", /answered 404/],
  ["/loop", "bad-redirect", /more than 10 redirects/],
  ["/changes", "input-changed", /changed while it was read/],
  ["/cut-always", "download-failed", /cut at byte 1000 of \d+.*tried 5 times/],
];
for (const [path, code, message] of failures) {
  test(`${path} is a data error that says what happened`, async () => {
    const result = await readBlocking(base + path);
    assert.equal(result.name, "DataError");
    assert.equal(result.code, code);
    assert.match(result.message ?? "", message);
    assert.match(result.message ?? "", /127\.0\.0\.1/);
  });
}

test("a server that nobody is behind is named", async () => {
  const gone = net.createServer();
  await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  const result = await readBlocking(`http://127.0.0.1:${port}/x`);
  assert.equal(result.code, "download-failed");
  assert.match(result.message ?? "", /cannot be reached/);
});

test("a server that sends more than it announced is caught", async () => {
  const result = await readBlocking(`${rawBase}/long`);
  assert.equal(result.code, "bad-length");
  assert.match(result.message ?? "", /announced 5 bytes and sent more/);
});

test("a client reads the same stream without blocking", async () => {
  const { openUrl } = await import("./open.ts");
  const chunks: Uint8Array[] = [];
  for await (const chunk of openUrl(`${base}/whole`, {})) chunks.push(chunk);
  assert.ok(Buffer.concat(chunks).toString() === body);
});
