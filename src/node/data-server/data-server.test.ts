import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { link, mkdir, mkdtemp, readdir, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import net from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { formatChecksums } from "../../protocol/checksums.ts";
import { jobDirectory, masterHost } from "../job-directory.ts";
import { createDataServer } from "./data-server.ts";

const root = await mkdtemp(join(tmpdir(), "disco-data-server-"));
const dataDir = join(root, "data");
const job = "count@6a1:2:3";
const home = jobDirectory("localhost", job);
const base = `/disco/${home}`;
const letters = Buffer.from("abcdefghijklmnopqrstuvwxyz");
const large = Buffer.alloc(3_000_000, "0123456789abcdef");
const secret = "SECRET that nobody may read";

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

let server: http.Server;
let other: http.Server;
let port = 0;
let nodes: Record<string, string> = {};
const failures: unknown[] = [];

/** Sends the path as it is: `fetch` and `URL` would tidy it up. */
function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = http.request({ port, host: "127.0.0.1", path, method, headers, agent: false }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk));
      reply.on("error", reject);
      reply.on("end", () =>
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function put(path: string, contents: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(dataDir, path)), { recursive: true });
  await writeFile(join(dataDir, path), contents);
}

function serverOf(directory: string, host: string): http.Server {
  const data = createDataServer({ dataDir: directory, host, nodes: () => nodes });
  return http.createServer((request, response) => {
    data(request, response).catch((error: unknown) => {
      failures.push(error);
      response.destroy();
    });
  });
}

function listen(one: http.Server): Promise<number> {
  return new Promise((resolve) => one.listen(0, "127.0.0.1", () => resolve((one.address() as AddressInfo).port)));
}

before(async () => {
  await put(`${home}/letters`, letters);
  await put(`${home}/empty`, "");
  await put(`${home}/large`, large);
  await put(`${home}/work/deep/er/file`, "deep");
  await put(`${home}/%2e%2e`, "a strange name");
  await put(`${jobDirectory(masterHost, job)}/jobfile`, secret);
  await put("localhost/disk-identity", secret);
  await put(`${jobDirectory("else", job)}/letters`, secret);
  await writeFile(join(root, "secret"), secret);
  await symlink(join(root, "secret"), join(dataDir, home, "link"));
  await symlink(root, join(dataDir, home, "up"));
  await symlink("/dev/zero", join(dataDir, home, "zero"));
  await symlink("letters", join(dataDir, home, "harmless-link"));
  const far = join(root, "far");
  const farHome = jobDirectory("far", job);
  await mkdir(join(far, farHome), { recursive: true });
  await writeFile(join(far, farHome, "letters"), letters);
  server = serverOf(dataDir, "localhost");
  other = serverOf(far, "far");
  port = await listen(server);
  nodes = { far: `http://127.0.0.1:${await listen(other)}/`, gone: "http://127.0.0.1:1" };
});

after(async () => {
  server.closeAllConnections();
  other.closeAllConnections();
  server.close();
  other.close();
  await rm(root, { recursive: true, force: true });
  assert.deepEqual(failures, []);
});

describe("a node's data server", () => {
  it("sends files of jobs, whole, with what a client needs to come back for the rest", async () => {
    const { status, headers, body } = await ask(`${base}/large`);
    assert.equal(status, 200);
    assert.ok(body.equals(large));
    assert.equal(headers["content-length"], String(large.length));
    assert.equal(headers["accept-ranges"], "bytes");
    assert.match(headers.etag ?? "", /^"[0-9a-f-]+"$/);
    assert.equal(headers["content-type"], "application/octet-stream");
    assert.equal((await ask(`${base}/empty`)).body.length, 0);
    assert.equal((await ask(`${base}/work/deep/er/file?x=../y`)).body.toString(), "deep");
  });

  it("names a job's home by encoded or plain characters alike", async () => {
    const encoded = `${base.replaceAll("@", "%40").replaceAll(":", "%3A")}/letters`;
    assert.deepEqual((await ask(encoded)).body, letters);
  });

  it("answers HEAD as GET, without the body", async () => {
    const { status, headers, body } = await ask(`${base}/large`, {}, "HEAD");
    assert.equal(status, 200);
    assert.equal(headers["content-length"], String(large.length));
    assert.equal(body.length, 0);
  });

  it("sends 403 for a directory, 404 for what is not there, 405 for other methods", async () => {
    assert.equal((await ask(`${base}/work`)).status, 403);
    assert.equal((await ask(base)).status, 403);
    assert.equal((await ask(`${base}/nothing`)).status, 404);
    assert.equal((await ask("/disco/localhost")).status, 404);
    assert.equal((await ask("/elsewhere")).status, 404);
    for (const method of ["POST", "PUT", "DELETE"]) {
      const { status, headers } = await ask(`${base}/letters`, {}, method);
      assert.equal(status, 405);
      assert.equal(headers.allow, "GET, HEAD");
    }
  });

  it("sends one range (fault 96)", async () => {
    const ranges: readonly [string, string, string][] = [
      ["bytes=0-", "abcdefghijklmnopqrstuvwxyz", "0-25"],
      ["bytes=23-", "xyz", "23-25"],
      ["bytes=1-3", "bcd", "1-3"],
      ["bytes=25-25", "z", "25-25"],
      ["bytes=24-10485759", "yz", "24-25"],
      ["bytes=-2", "yz", "24-25"],
      ["bytes=-99999999999999999999999", "abcdefghijklmnopqrstuvwxyz", "0-25"],
    ];
    for (const [range, text, part] of ranges) {
      const { status, headers, body } = await ask(`${base}/letters`, { range });
      assert.equal(status, 206, range);
      assert.equal(body.toString(), text);
      assert.equal(headers["content-range"], `bytes ${part}/26`);
      assert.equal(headers["content-length"], String(text.length));
    }
  });

  it("refuses a range that begins past the end, and ignores many, negative and absurd ones (fault 96)", async () => {
    for (const range of ["bytes=26-", "bytes=99999999999999999999-", "bytes=-0"]) {
      const { status, headers } = await ask(`${base}/letters`, { range });
      assert.equal(status, 416, range);
      assert.equal(headers["content-range"], "bytes */26");
    }
    const many = `bytes=${Array.from({ length: 1000 }, () => "0-").join(",")}`;
    for (const range of [
      many,
      "bytes=-5-",
      "bytes=--5",
      "bytes=3-1",
      "bytes=a-b",
      "lines=1-2",
      "bytes=-",
      "bytes=1e9-",
    ]) {
      const { status, body } = await ask(`${base}/letters`, { range });
      assert.equal(status, 200, range.slice(0, 30));
      assert.deepEqual(body, letters);
    }
  });

  it("sends an empty file to one who asks for its first bytes, as Disco's Python client does", async () => {
    const { status, headers, body } = await ask(`${base}/empty`, { range: "bytes=0-10485759" });
    assert.equal(status, 200);
    assert.equal(headers["content-length"], "0");
    assert.equal(body.length, 0);
  });

  it("sends the whole file instead of the rest when it is another one by now", async () => {
    await put(`${home}/changing`, "first version");
    const { headers } = await ask(`${base}/changing`);
    const etag = headers.etag ?? "";
    const same = await ask(`${base}/changing`, { range: "bytes=6-", "if-range": etag });
    assert.equal(same.status, 206);
    assert.equal((await ask(`${base}/changing`, { "if-none-match": etag })).status, 304);
    await writeFile(join(dataDir, home, "changing"), "other version");
    await utimes(join(dataDir, home, "changing"), 1, 1);
    const changed = await ask(`${base}/changing`, { range: "bytes=6-", "if-range": etag });
    assert.equal(changed.status, 200);
    assert.equal(changed.body.toString(), "other version");
    assert.notEqual(changed.headers.etag, etag);
  });

  it("cuts the connection when a file becomes shorter while it is sent (fault 51)", async () => {
    const size = 64 * 1024 * 1024;
    await put(`${home}/shrinking`, Buffer.alloc(size));
    await assert.rejects(
      new Promise((resolve, reject) => {
        http
          .get({ port, host: "127.0.0.1", path: `${base}/shrinking`, agent: false }, (reply) => {
            reply.once("data", () => {
              void truncate(join(dataDir, home, "shrinking"), 1_000_000).then(() => reply.resume());
            });
            reply.pause();
            reply.on("error", reject);
            reply.on("end", resolve);
            reply.resume();
          })
          .on("error", reject);
      }),
      { code: "ECONNRESET" },
    );
  });

  it("closes the file of a client that went away", { skip: process.platform !== "linux" }, async () => {
    await put(`${home}/long`, Buffer.alloc(64 * 1024 * 1024));
    const open = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
    const idle = await open();
    for (let i = 0; i < 20; i++) {
      await new Promise<void>((resolve) => {
        const socket = net.connect(port, "127.0.0.1", () =>
          socket.write(`GET ${base}/long HTTP/1.1\r\nHost: x\r\n\r\n`),
        );
        socket.once("data", () => socket.destroy());
        socket.once("close", () => resolve());
      });
    }
    const patience = Date.now() + 20_000;
    while ((await open()) > idle && Date.now() < patience) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await open(), idle);
  });

  it("reads no faster than its client, and the whole file arrives all the same", async () => {
    const slow = await new Promise<Buffer>((resolve, reject) => {
      http
        .get({ port, host: "127.0.0.1", path: `${base}/large`, agent: false }, (reply) => {
          const chunks: Buffer[] = [];
          reply.on("data", (chunk: Buffer) => {
            chunks.push(chunk);
            reply.pause();
            setImmediate(() => reply.resume());
          });
          reply.on("end", () => resolve(Buffer.concat(chunks)));
        })
        .on("error", reject);
    });
    assert.ok(slow.equals(large));
  });
});

describe("digests of a data server", () => {
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64");

  it("are sent to who asks for them, of the whole file even with a range", async () => {
    const want = { "want-repr-digest": "sha-256=5" };
    await put(`${home}/map-0-0.0.disco`, letters);
    assert.equal((await ask(`${base}/map-0-0.0.disco`, want)).headers["repr-digest"], undefined);
    assert.equal((await ask(`${base}/letters`)).headers["repr-digest"], undefined);
    for (const more of [{}, { range: "bytes=3-" }]) {
      const { headers } = await ask(`${base}/letters`, { ...want, ...more });
      assert.equal(headers["repr-digest"], `sha-256=:${sha256(letters)}:`);
    }
  });

  it("are those of the task that wrote the file, so that damage on the disk does not look right", async () => {
    const written = Buffer.from("10 apples\n");
    const file = "reduce-0-0.0.out";
    const digest = createHash("sha256").update(written).digest("hex");
    await put(`${home}/.disco/reduce-0-0.sums`, formatChecksums([{ file, digest }]));
    await put(`${home}/${file}`, "11 apples\n");
    const { headers } = await ask(`${base}/${file}`, { "want-repr-digest": "sha-256=1" });
    assert.equal(headers["repr-digest"], `sha-256=:${sha256(written)}:`);
  });
});

describe("the way through a data server to another node", () => {
  it("leads to this node's own files, and to those of nodes that it knows", async () => {
    assert.deepEqual((await ask(`/proxy/localhost/GET${base}/letters`)).body, letters);
    const far = `/proxy/far/GET/disco/${jobDirectory("far", job)}/letters`;
    const whole = await ask(far);
    assert.deepEqual(whole.body, letters);
    const part = await ask(far, { range: "bytes=1-2", "if-range": whole.headers.etag ?? "" });
    assert.equal(part.status, 206);
    assert.equal(part.headers["content-range"], "bytes 1-2/26");
    assert.equal(part.body.toString(), "bc");
    assert.equal((await ask(far, {}, "HEAD")).headers["content-length"], "26");
    // As the addresses of results have it, which name whom the client has asked.
    const plain = `/disco/${jobDirectory("far", job)}/letters`;
    assert.deepEqual((await ask(plain)).body, letters);
    assert.equal((await ask(plain, { range: "bytes=1-2" })).body.toString(), "bc");
    assert.equal((await ask(plain, {}, "POST")).status, 405);
    assert.equal((await ask(`/disco/${jobDirectory("gone", job)}/x`)).status, 502);
    assert.equal((await ask(`/disco/${jobDirectory("nobody", job)}/x`)).status, 404);
  });

  it("ends where there is no such node, path or method: it fetches nothing that a request may choose (fault 89)", async () => {
    const far = `/disco/${jobDirectory("far", job)}/letters`;
    assert.equal((await ask(`/proxy/nobody/GET${base}/letters`)).status, 404);
    assert.equal((await ask(`/proxy/far/GET${base}/letters`)).status, 404);
    assert.equal((await ask("/proxy/far/GET/metrics")).status, 404);
    assert.equal((await ask(`/proxy/far/PUT${far}`)).status, 405);
    assert.equal((await ask(`/proxy/far/GET${far}`, {}, "POST")).status, 405);
    assert.equal((await ask(`/proxy/gone/GET/disco/${jobDirectory("gone", job)}/x`)).status, 502);
    assert.equal((await ask("/proxy/localhost")).status, 404);
    assert.equal((await ask("/proxy/__proto__/GET/disco/__proto__/00/x/y")).status, 404);
  });
});

describe("paths that try to leave a job's home (fault 87)", () => {
  const nothing = async (path: string): Promise<void> => {
    const { status, body } = await ask(path);
    assert.ok(status === 400 || status === 403 || status === 404 || status === 405, `${path}: ${status}`);
    assert.ok(!body.includes("SECRET"), path);
  };

  it("are refused: links, the master's files, other nodes, what lies above", async () => {
    const wrongHash = base.replace(/\/[0-9a-f]{2}\//, (hash) => (hash === "/00/" ? "/01/" : "/00/"));
    for (const path of [
      `${base}/link`,
      `${base}/up/secret`,
      `${base}/zero`,
      `${base}/harmless-link`,
      `/disco/${jobDirectory(masterHost, job)}/jobfile`,
      `/disco/${jobDirectory("else", job)}/letters`,
      "/disco/localhost/disk-identity",
      "/disco/localhost/../localhost/disk-identity",
      `${wrongHash}/letters`,
      `${base}/../../disk-identity`,
      `${base}/%2e%2e/%2e%2e/disk-identity`,
      `${base}/..%2f..%2fdisk-identity`,
      `${base}/..%5c..%5cdisk-identity`,
      `${base}/..\\..\\disk-identity`,
      `${base}/letters%00.txt`,
      `${base}/%c0%ae%c0%ae/disk-identity`,
      `${base}/%u002e%u002e/x`,
      `${base}/%252e%252e/%252e%252e/disk-identity`,
      `${base}//letters`,
      `${base}/letters/`,
      `${base}/./letters`,
      `http://127.0.0.1${base}/letters`,
      `/proxy/localhost/GET/disco/${jobDirectory(masterHost, job)}/jobfile`,
      `/proxy/localhost/GET${base}/up/secret`,
      `/proxy/localhost/GET/proxy/localhost/GET${base}/letters`,
    ]) {
      await nothing(path);
    }
    assert.equal((await ask(`${base}/%252e%252e`)).body.toString(), "a strange name");
  });

  it("never get a byte from outside, whatever they are made of", async () => {
    const piece = fc.oneof(
      fc.constantFrom("..", ".", "", "%2e%2e", "%2E.", "..%2f", "%2f", "\\", "%5c", "%00", "%", "%zz", "up", "link"),
      fc.constantFrom("secret", "disk-identity", "jobfile", "work", "letters", "_master", "localhost", "else", "data"),
      fc.constantFrom(...home.split("/"), ...jobDirectory(masterHost, job).split("/")),
      fc.string({ unit: "binary", maxLength: 6 }).map(encodeURIComponent),
    );
    const path = fc
      .tuple(fc.constantFrom("/disco", base, `/disco/${home}/up`, "/proxy/localhost/GET/disco"), fc.array(piece))
      .map(([start, pieces]) => [start, ...pieces].join("/"));
    await fc.assert(
      fc.asyncProperty(path, async (one) => {
        const { status, body } = await ask(one);
        assert.ok(!body.includes("SECRET"));
        assert.ok([200, 400, 403, 404, 405].includes(status), String(status));
      }),
      { numRuns: 500 },
    );
  });

  it("are judged by what was opened: a hard link inside is a file like any other", async () => {
    await link(join(dataDir, home, "letters"), join(dataDir, home, "second-name"));
    assert.deepEqual((await ask(`${base}/second-name`)).body, letters);
  });
});
