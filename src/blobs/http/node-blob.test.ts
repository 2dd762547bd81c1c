import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { digestHeader } from "./digest-header.ts";
import { type NodeRequest, putNodeBlob, readNodeBlob, statNodeBlob } from "./node-blob.ts";

const object = "blob$703-54adf-ca24d";
const bytes = randomBytes(100_000);
const digest = sha256(bytes);
const path = `/ddfs/vol0/blob/00/${object}`;

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => unknown;

function sha256(of: Uint8Array): string {
  return createHash("sha256").update(of).digest("hex");
}

function ask(url: string, { method, headers, body, signal }: NodeRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = http.request(url, { method, headers, signal, agent: false }, resolve).on("error", reject);
    if (body === undefined) sent.end();
    else body.on("error", (error) => sent.destroy(error)).pipe(sent);
  });
}

async function source(...chunks: Uint8Array[]): Promise<Readable> {
  return Readable.from(chunks);
}

describe("a blob of a node, over HTTP", () => {
  let base = "";
  let answer: Answer = (_request, response) => response.end();
  const server = http.createServer((request, response) => void answer(request, response));

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const gives = (headers: Record<string, string>, body: Uint8Array, status = 200): void => {
    answer = (_request, response) => {
      response.writeHead(status, headers);
      response.end(body);
    };
  };
  const read = async (from?: number): Promise<Buffer> => {
    const opened = await readNodeBlob(ask, base + path, from === undefined ? {} : { from });
    assert.ok(opened !== null);
    return await buffer(opened.body);
  };

  it("is read to its end only if its bytes are those that the node tells the digest of", async () => {
    gives({ "content-length": "100000", "repr-digest": digestHeader(digest) }, bytes);
    assert.ok(bytes.equals(await read()));
    const flipped = Buffer.from(bytes);
    flipped[99_999] = (flipped[99_999] ?? 0) ^ 1;
    gives({ "content-length": "100000", "repr-digest": digestHeader(digest) }, flipped);
    await assert.rejects(read(), { code: "blob-damaged", retry: "elsewhere" });
    // A page that some proxy made of an error.
    gives({ "content-length": "100000", "repr-digest": digestHeader(digest) }, Buffer.alloc(100_000, "<html>"));
    await assert.rejects(read(), { code: "blob-damaged" });
  });

  it("that breaks off is an error, wherever it does", async () => {
    for (const length of [0, 1, 50_000, 99_999]) {
      answer = (_request, response) => {
        response.writeHead(200, { "content-length": "100000", "repr-digest": digestHeader(digest) });
        response.write(bytes.subarray(0, length), () => response.destroy());
        response.flushHeaders();
      };
      await assert.rejects(read(), { name: "CommError" }, `${length} bytes`);
    }
  });

  it("that breaks off before anybody reads it is an error for who does, and for nobody else", async () => {
    answer = (_request, response) => {
      response.writeHead(200, { "content-length": "100000" });
      response.write(bytes.subarray(0, 10), () => response.destroy());
    };
    const opened = await readNodeBlob(ask, base + path);
    assert.ok(opened !== null);
    // Whoever asked makes room on a disk meanwhile.
    if (!opened.body.destroyed) await new Promise((resolve) => opened.body.once("close", resolve));
    await assert.rejects(buffer(opened.body), { code: "cut-off" });
  });

  it("is read on from any byte, and from behind its end as nothing", async () => {
    answer = ({ headers }, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1]);
      if (from >= bytes.length) {
        response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
        return;
      }
      response.writeHead(206, {
        "content-length": String(bytes.length - from),
        "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
      });
      response.end(bytes.subarray(from));
    };
    assert.ok(bytes.subarray(70_000).equals(await read(70_000)));
    assert.equal((await read(100_000)).length, 0);
    // Who gives all of it although a part was asked for, has not understood.
    gives({ "content-length": "100000" }, bytes);
    await assert.rejects(read(70_000), { code: "node-refused" });
  });

  it("is not there, or refused, with the reason and what to do", async () => {
    gives({}, Buffer.from("Not found."), 404);
    assert.equal(await readNodeBlob(ask, base + path), null);
    assert.equal(await statNodeBlob(ask, base + path), null);
    const rows = [
      [500, "node-failed", "elsewhere"],
      [503, "node-busy", "elsewhere"],
      [507, "disk-full", "elsewhere"],
      [401, "unauthorized", "never"],
      [403, "forbidden", "never"],
      [418, "node-refused", "never"],
    ] as const;
    for (const [status, code, retry] of rows) {
      gives({}, Buffer.from("for a reason\n"), status);
      await assert.rejects(read(), { code, retry, message: /for a reason/ }, String(status));
      const put = putNodeBlob(ask, `${base}/ddfs/${object}`, await source(Buffer.from("x")));
      await assert.rejects(put, { code, retry }, String(status));
    }
  });

  it("is put when the node names the digest of what was sent, and not when it names another, or no place", async () => {
    const address = `disco://n1${path}`;
    let seen = Buffer.alloc(0);
    const takes = (headers: Record<string, string>, said: string): void => {
      answer = async (request, response) => {
        seen = await buffer(request);
        response.writeHead(201, headers).end(said);
      };
    };
    takes({ "repr-digest": digestHeader(digest) }, JSON.stringify(address));
    const put = async (): ReturnType<typeof putNodeBlob> =>
      await putNodeBlob(ask, `${base}/ddfs/${object}`, await source(bytes.subarray(0, 10), bytes.subarray(10)));
    const stored = await put();
    assert.deepEqual([stored.url, stored.size, stored.digest, stored.volume], [address, 100_000, digest, "vol0"]);
    assert.ok(bytes.equals(seen));
    takes({ "repr-digest": digestHeader(sha256(Buffer.from("other"))) }, JSON.stringify(address));
    await assert.rejects(put(), { code: "digest-mismatch", retry: "elsewhere" });
    for (const said of ["", "null", '"http://n1/x"', "<html>"]) {
      takes({ "repr-digest": digestHeader(digest) }, said);
      await assert.rejects(put(), { code: "digest-mismatch" }, said);
    }
  });

  it("tells size, digest and time without its bytes", async () => {
    const storedAt = Date.UTC(2026, 0, 2, 3, 4, 5);
    const told = { "last-modified": new Date(storedAt).toUTCString(), "repr-digest": digestHeader(digest) };
    gives({ "content-length": "100000", ...told }, Buffer.alloc(0));
    assert.deepEqual(await statNodeBlob(ask, base + path), { object, volume: "vol0", size: 100_000, storedAt, digest });
  });
});
