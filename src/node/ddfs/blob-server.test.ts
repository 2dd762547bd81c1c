import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { freshObject } from "../../blobs/contract.ts";
import { realDisk } from "../../blobs/volumes/disk.ts";
import { blobFile } from "../../blobs/volumes/layout.ts";
import { Volumes } from "../../blobs/volumes/volumes.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import { pathSegments } from "../data-server/request-path.ts";
import { createBlobServer } from "./blob-server.ts";

let root = "";
let blobs: Volumes;
let server: http.Server;
let base = "";

before(async () => {
  root = await mkdtemp(join(tmpdir(), "disco-blob-server-"));
  await mkdir(join(root, "vol0"));
  blobs = new Volumes({ places: [{ name: "vol0", directory: join(root, "vol0") }], disk: realDisk, now: Date.now });
  await blobs.begin();
  const serve = createBlobServer({ blobs: { open: () => Promise.resolve(blobs) }, host: "n1" });
  server = http.createServer((request, response) => {
    const segments = pathSegments(request.url ?? "");
    if (segments === null) response.writeHead(400).end();
    else void serve(request, response, segments);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(root, { recursive: true, force: true });
});

function pathOf(object: string): string {
  return new URL(replicaAddress("n1", "vol0", object)).pathname;
}

describe("blobs over HTTP", () => {
  it("come back as they were put, whole, in ranges, with their digest", async () => {
    const bytes = randomBytes(300_000);
    const object = freshObject();
    const put = await fetch(`${base}/ddfs/${object}`, { method: "PUT", body: bytes });
    assert.equal(put.status, 201);
    assert.equal(await put.json(), replicaAddress("n1", "vol0", object));
    const digest = `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`;
    assert.equal(put.headers.get("repr-digest"), digest);
    const got = await fetch(base + pathOf(object));
    assert.equal(got.headers.get("repr-digest"), digest);
    assert.deepEqual(Buffer.from(await got.arrayBuffer()), bytes);
    const part = await fetch(base + pathOf(object), { headers: { range: "bytes=5-9" } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get("content-range"), "bytes 5-9/300000");
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(5, 10));
    const head = await fetch(base + pathOf(object), { method: "HEAD" });
    assert.equal(head.headers.get("content-length"), "300000");
  });

  it("are refused with a wrong digest, a wrong name, or once more with other bytes", async () => {
    const object = freshObject();
    const headers = { "repr-digest": `sha-256=:${createHash("sha256").update("y").digest("base64")}:` };
    const put = (name: string, body: string, more: Record<string, string> = {}): Promise<Response> =>
      fetch(`${base}/ddfs/${name}`, { method: "PUT", body, headers: more });
    assert.equal((await put(object, "x", headers)).status, 400);
    assert.equal(await blobs.stat(object), null);
    assert.equal((await put(object, "y", headers)).status, 201);
    assert.equal((await put(object, "y")).status, 201);
    assert.equal((await put(object, "x")).status, 500);
    for (const name of ["plain", "a%2Fb$00-00-01", "%2e%2e$00-00-01", "a$00-00"])
      assert.ok((await put(name, "x")).status >= 400);
    assert.equal((await fetch(`${base}/ddfs/${object}`, { method: "DELETE" })).status, 501);
  });

  it("have no other way to them, nor to anything else on the disk", async () => {
    const object = freshObject();
    await fetch(`${base}/ddfs/${object}`, { method: "PUT", body: "secret" });
    const path = pathOf(object);
    const other = path.includes("/00/") ? path.replace("/00/", "/01/") : path.replace(/\/[0-9a-f]{2}\//, "/00/");
    for (const wrong of [
      other,
      `${path}/x`,
      path.replace("/blob/", "/tag/"),
      path.replace("vol0", "volx"),
      "/ddfs/vol0/blob",
    ])
      assert.equal((await fetch(base + wrong)).status, 404, wrong);
  });

  it("are not there when their upload breaks off", async () => {
    const object = freshObject();
    const { port, hostname } = new URL(base);
    await new Promise<void>((resolve) => {
      const socket = net.connect(Number(port), hostname, () => {
        socket.write(`PUT /ddfs/${object} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf`);
        setImmediate(() => socket.destroy());
      });
      socket.on("close", () => resolve());
    });
    // Whoever comes next waits for the broken one to end, and is taken.
    const again = await fetch(`${base}/ddfs/${object}`, { method: "PUT", body: "whole" });
    assert.equal(again.status, 201);
    assert.equal(await (await fetch(base + pathOf(object))).text(), "whole");
  });
});

describe("uploads", () => {
  /** Sends bytes as they are, and returns what comes back. */
  function raw(...parts: readonly string[]): Promise<string> {
    const { port, hostname } = new URL(base);
    return new Promise((resolve) => {
      let said = "";
      const socket = net.connect(Number(port), hostname, () => {
        for (const part of parts) socket.write(part);
      });
      socket.on("data", (chunk) => (said += chunk.toString("latin1")));
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(said));
    });
  }

  it("that lie about their length are not there, or refused by the digest that they show", async () => {
    const [long, short] = [freshObject(), freshObject()];
    const digest = createHash("sha256").update("0123456789").digest("base64");
    const head = (object: string, length: string): string =>
      `PUT /ddfs/${object} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRepr-Digest: sha-256=:${digest}:\r\nContent-Length: ${length}\r\n\r\n`;
    assert.match(await raw(head(short, "5"), "0123456789"), /^HTTP\/1\.1 400 /);
    assert.equal(await blobs.stat(short), null);
    for (const length of ["-1", "1e3", "10, 11"])
      assert.match(await raw(head(long, length), "0123456789"), /^HTTP\/1\.1 400 /, length);
    const chunked = `PUT /ddfs/${long} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    assert.match(await raw(chunked, "5\r\n01234\r\n", "zz\r\nx"), /^HTTP\/1\.1 400 /);
    assert.equal(await blobs.stat(long), null);
    assert.match(await raw(chunked, "5\r\n01234\r\n0\r\n\r\n"), /^HTTP\/1\.1 201 /);
    assert.equal((await blobs.stat(long))?.size, 5);
  });

  it("wait for their turn when there are many, and each comes to its end", async () => {
    const objects = Array.from({ length: 100 }, () => freshObject());
    const statuses = await Promise.all(
      objects.map(async (object) => (await fetch(`${base}/ddfs/${object}`, { method: "PUT", body: object })).status),
    );
    assert.deepEqual(new Set(statuses), new Set([201]));
    for (const object of objects) assert.equal(await (await fetch(base + pathOf(object))).text(), object);
  });

  it("of one object at once are one blob, and the same for all", async () => {
    const object = freshObject();
    const bytes = randomBytes(200_000);
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const answer = await fetch(`${base}/ddfs/${object}`, { method: "PUT", body: bytes });
        return [answer.status, await answer.json()];
      }),
    );
    assert.deepEqual(new Set(answers.map(String)), new Set([String([201, replicaAddress("n1", "vol0", object)])]));
    assert.deepEqual((await blobs.list(undefined, 1_000)).blobs.filter((one) => one.object === object).length, 1);
  });

  it("that nobody has room for are told so, however much is sent", async () => {
    const object = freshObject();
    const request = http.request(`${base}/ddfs/${object}`, { method: "PUT", headers: { "content-length": 1e15 } });
    const answered = new Promise<http.IncomingMessage>((resolve) => request.on("response", resolve));
    request.on("error", () => undefined);
    const chunk = Buffer.alloc(1_000_000);
    const pump = setInterval(() => request.write(chunk), 1);
    const answer = await answered;
    clearInterval(pump);
    assert.equal(answer.statusCode, 507);
    let said = "";
    for await (const part of answer as AsyncIterable<Buffer>) said += part.toString();
    assert.match(said, /no volume has room for 1000000000000000 bytes/);
    request.destroy();
  });
});

describe("damaged blobs over HTTP", () => {
  it("are refused before the answer begins when they are small, and broken off before their end when they are not", async () => {
    for (const size of [10, 3_000_000]) {
      const object = freshObject();
      await fetch(`${base}/ddfs/${object}`, { method: "PUT", body: Buffer.alloc(size, 7) });
      const file = blobFile(join(root, "vol0"), object);
      await chmod(file, 0o600);
      const bytes = await readFile(file);
      bytes[3] = (bytes[3] ?? 0) ^ 1;
      await writeFile(file, bytes);
      const answer = await fetch(base + pathOf(object));
      if (size === 10) assert.equal(answer.status, 500);
      else await assert.rejects(answer.arrayBuffer());
      assert.equal((await fetch(base + pathOf(object))).status, 404);
    }
  });
});
