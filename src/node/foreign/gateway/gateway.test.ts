import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { hashOf } from "../../../blobs/volumes/layout.ts";
import { OwnBlobs } from "../../ddfs/own-blobs.ts";
import { Peers } from "../../fetch/peers.ts";
import { jobDirectory } from "../../job-directory.ts";
import type { GatewayAccess } from "../gateway-access.ts";
import { type Asked, ask, json, put, serveMaster, serveOther } from "./gateway.test-kit.ts";
import { Gateway } from "./gateway.ts";
import { distantDoor } from "./master-door.ts";
import { openGateway } from "./open-gateway.ts";

/*
 * 1. Two nodes, `own` and `other`: names that resolve to nothing. `other` asks for the cluster's token.
 * 2. A master, which is a list of what it was asked, and answers what the test says.
 * 3. Workers of a job know `access` alone.
 */
const token = "cluster-token-0123456789";
const root = await mkdtemp(join(tmpdir(), "disco-gateway-"));
after(() => rm(root, { recursive: true, force: true }));

let asked: Asked[] = [];
let answer: (question: Asked, response: ServerResponse) => void = (_question, response) => void response.end();
let closers: (() => unknown)[] = [];
let gateway: Gateway;
let access: GatewayAccess;
let nodes: Record<string, string> = {};
let master: string | null = null;
let dataDir = "";
let otherDir = "";

beforeEach(async () => {
  asked = [];
  [dataDir, otherDir] = [await mkdtemp(join(root, "own-")), await mkdtemp(join(root, "other-"))];
  const served = await serveMaster((question, response) => {
    asked.push(question);
    answer(question, response);
  });
  const other = await serveOther(otherDir, token);
  master = served.url;
  nodes = { other: other.url };
  closers.push(served.close, other.close);
  const blobs = new OwnBlobs({ dataDir });
  const peers = new Peers({ urlOf: (node) => nodes[node], token });
  gateway = new Gateway({
    dataDir,
    host: "own",
    formerHosts: new Set(["former"]),
    blobs,
    nodes: () => nodes,
    peers,
    door: () => Promise.resolve(distantDoor(() => master, peers)),
    patience: { master: 5_000, node: 5_000 },
  });
  access = await gateway.openJob("job@1");
  closers.push(
    () => blobs.close(),
    () => gateway.close(),
  );
});
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
});

describe("the gateway of foreign workers", () => {
  it("gives files of its own node and of others, with ranges", async () => {
    const bytes = randomBytes(300_000);
    for (const url of [
      await put(dataDir, "own", "job@1", "a/b c%?", bytes),
      await put(otherDir, "other", "j", "out", bytes),
      await put(dataDir, "former", "j", "out", bytes),
    ]) {
      const inside = `${access.master}/${access.addressForWorker(url.replace("disco://own", "disco://m:1")).split("/").slice(4).join("/")}`;
      const whole = await ask(inside);
      assert.equal(whole.status, 200);
      assert.ok(Buffer.from(await whole.arrayBuffer()).equals(bytes), url);
      const part = await ask(inside, { headers: { range: "bytes=10-299999" } });
      assert.equal(part.status, 206);
      assert.equal(part.headers.get("content-range"), "bytes 10-299999/300000");
      assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10)));
      const head = await ask(inside, { method: "HEAD" });
      assert.equal(head.headers.get("content-length"), "300000");
    }
    assert.equal(
      (await ask(access.addressForWorker(`disco://other/disco/${jobDirectory("other", "j")}/none`))).status,
      404,
    );
  });

  it("gives indexes with addresses that workers can ask for, of its own node and of others", async () => {
    const own = await put(dataDir, "own", "job@1", "data", "own bytes");
    const other = await put(otherDir, "other", "job@1", "data", "other bytes");
    const text = `0 ${own} 9\n1 ${other} 11\n2 tag://t 3\n`;
    for (const [directory, host] of [
      [dataDir, "own"],
      [otherDir, "other"],
    ] as const) {
      const index = (await put(directory, host, "job@1", ".disco/map-0.results", text)).replace("disco:", "dir:");
      const address = access.addressForWorker(index);
      assert.ok(address.startsWith("dir://127.0.0.1:"));
      // As Disco's library asks: the first ten megabytes.
      const reply = await ask(address, { headers: { range: "bytes=0-10485759" } });
      assert.equal(reply.status, 206);
      const lines = (await reply.text()).split("\n");
      assert.equal(
        reply.headers.get("content-range"),
        `bytes 0-${lines.join("\n").length - 1}/${lines.join("\n").length}`,
      );
      const contents = [];
      for (const line of lines.slice(0, 2)) contents.push(await (await ask(line.split(" ")[1] ?? "")).text());
      assert.deepEqual(contents, ["own bytes", "other bytes"]);
      assert.equal(lines[2], "2 tag://t 3");
      const part = await ask(address, { headers: { range: "bytes=2-5" } });
      assert.equal(await part.text(), "http");
      assert.equal(
        (await ask(address, { method: "HEAD" })).headers.get("content-length"),
        String(lines.join("\n").length),
      );
    }
  });

  it("answers nobody without the key of a job that has work here", async () => {
    const url = await put(dataDir, "own", "job@1", "data", "secret");
    const path = url.slice("disco://own".length);
    const second = await gateway.openJob("job@2");
    assert.notEqual(second.master, access.master);
    assert.equal((await gateway.openJob("job@1")).master, access.master);
    const { origin } = new URL(access.master);
    const key = access.master.slice(origin.length + 1);
    const wrong = ["", `/${key.slice(0, -1)}`, `/${key}x`, `/2${key.slice(1)}`, `/${"x".repeat(key.length)}`, "/1-"];
    for (const prefix of wrong) assert.equal((await ask(origin + prefix + path)).status, 404, prefix);
    assert.equal((await ask(access.master + path)).status, 200);
    gateway.closeJob("job@1");
    assert.equal((await ask(access.master + path)).status, 404);
    assert.equal((await ask(second.master + path)).status, 200);
  });

  it("does not let a path of a tag lead to another part of the master, whose rights the node has", async () => {
    const { hostname, port, pathname } = new URL(access.master);
    answer = json({ jobs: "of others" });
    // Clients resolve dots by themselves: this one says what it is told to.
    const raw = (method: string, path: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const sent = http.request({ hostname, port, method, path: pathname + path }, (reply) => {
          reply.resume();
          resolve(reply.statusCode);
        });
        sent.on("error", reject).end();
      });
    for (const up of ["..", "%2e%2e", ".%2E"]) {
      assert.equal(await raw("GET", `/ddfs/tag/${up}/${up}/api/v1/jobs`), 400, up);
      assert.equal(await raw("DELETE", `/ddfs/tag/${up}/${up}/api/v1/jobs/other@1`), 400, up);
      assert.equal(await raw("GET", `/ddfs/tags/${up}/${up}/disco/ctrl/joblist`), 400, up);
      assert.equal(await raw("GET", `/ddfs/new_blob/${up}/${up}/jobs`), 400, up);
    }
    for (const path of ["/ddfs/tag/..\\..\\api\\v1\\jobs", "/ddfs/tag/%5c..", "/ddfs/tag//x", "/ddfs/tag/a%2fb"])
      assert.equal(await raw("GET", path), 400, path);
    assert.deepEqual(asked, []);
    assert.equal(await raw("GET", "/ddfs/tags/"), 200);
    assert.equal(await raw("GET", "/ddfs/tag/data:t/ddfs:urls?a=../b"), 200);
    assert.deepEqual(
      asked.map(({ url }) => url),
      ["/ddfs/tags/", "/ddfs/tag/data:t/ddfs:urls?a=../b"],
    );
  });

  it("leads nowhere but to files of jobs, blobs and tags", async () => {
    await writeFile(join(dataDir, "secret"), "x");
    await writeFile(join(root, "secret"), "x");
    const up = encodeURIComponent("../..");
    const refused: [string, number][] = [
      [`/disco/own/secret`, 404],
      [`/disco/${up}/secret`, 400],
      ["/disco/own/%2e%2e/%2e%2e/secret", 404],
      ["/api/v1/jobs", 404],
      ["/disco/ctrl/joblist", 404],
      ["/ddfs/ctrl/gc_start", 403],
      ["/ddfs/", 403],
      ["/proxy/other/GET/api/v1/jobs", 404],
      ["/healthz", 404],
    ];
    for (const [path, status] of refused) assert.equal((await ask(access.master + path)).status, status, path);
    assert.equal(
      (await ask(`${access.master}/disco/own/${hashOf("x")}/x/f`, { method: "POST", body: "x" })).status,
      405,
    );
    assert.equal((await ask(`${access.master}/ddfs/tag/t`, { method: "PATCH", body: "x" })).status, 405);
    assert.deepEqual(asked, []);
  });
});

it("takes a name that every object has for a node that is away", async () => {
  const patience = { node: 0 };
  const masterUrl = (): null => null;
  const opened = await openGateway({
    dataDir,
    host: "own",
    nodes: () => nodes,
    remote: { token },
    masterUrl,
    patience,
  });
  try {
    const { master: base } = await opened.openJob("job@1");
    const reply = await ask(`${base}/disco/${jobDirectory("constructor", "j")}/f`);
    assert.equal(reply.status, 502);
    assert.match(await reply.text(), /address of node constructor is not known/);
  } finally {
    await opened.close();
  }
});

it("answers whatever it is asked, and gives nothing but files", async () => {
  await put(dataDir, "own", "j", "file", "a file");
  await writeFile(join(dataDir, "secret"), "a secret");
  const patience = { node: 0, master: 0 };
  const masterUrl = (): string | null => master;
  const opened = await openGateway({
    dataDir,
    host: "own",
    nodes: () => nodes,
    remote: { token },
    masterUrl,
    patience,
  });
  const part = fc.constantFrom(
    ...[
      "disco",
      "ddfs",
      "proxy",
      "own",
      "other",
      "GET",
      "PUT",
      "tag",
      "new_blob",
      "vol0",
      "blob",
      "b$1",
      "file",
      "secret",
    ],
    ...[
      "",
      ".",
      "..",
      "%2e%2e",
      "%2F",
      "%00",
      "%zz",
      "%C3",
      "a b",
      "é",
      "@",
      "?x=1",
      ...jobDirectory("own", "j").split("/"),
    ],
  );
  try {
    const { master: base, discoPort: port } = await opened.openJob("job@1");
    const prefix = new URL(base).pathname;
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 7 }),
        fc.constantFrom("GET", "HEAD", "PUT", "POST"),
        async (parts, method) => {
          // As it is: `fetch` would put some of it in order.
          const path = encodeURI(`${prefix}/${parts.join("/")}`).replaceAll("%25", "%");
          const reply = await new Promise<IncomingMessage>((resolve, reject) => {
            http.request({ host: "127.0.0.1", port, path, method, agent: false }, resolve).on("error", reject).end();
          });
          const body = Buffer.concat((await reply.toArray()) as Buffer[]).toString();
          assert.ok(
            reply.statusCode !== undefined && (reply.statusCode < 500 || reply.statusCode === 502),
            `${method} ${path}: ${reply.statusCode} ${body}`,
          );
          assert.doesNotMatch(body, /a secret|internal/i);
        },
      ),
      { numRuns: 300 },
    );
  } finally {
    await opened.close();
  }
});

describe("DDFS through the gateway", () => {
  it("gives tags with addresses that can be asked for, and takes them back as what they mean", async () => {
    const blob = "disco://other/ddfs/vol0/blob/ab/b$1";
    answer = json({ version: 1, id: "t$1", urls: [[blob, "http://x/y"], ["tag://u"]], "user-data": { a: blob } });
    const tag = (await (
      await ask(`${access.master}/ddfs/tag/data:t`, { headers: { authorization: `Basic ${btoa("token:job")}` } })
    ).json()) as { urls: string[][]; "user-data": object };
    assert.deepEqual(tag.urls, [[`${access.master}/proxy/other/GET/ddfs/vol0/blob/ab/b$1`, "http://x/y"], ["tag://u"]]);
    assert.deepEqual(tag["user-data"], { a: blob });
    const [read] = asked;
    assert.equal(read?.headers["disco-tag-token"], "job");
    assert.equal(read?.headers["disco-for-worker"], "1");
    assert.equal(read?.headers.authorization, `Bearer ${token}`);
    answer = json(["disco://m/ddfs/vol0/tag/ab/t$2"]);
    const linked = await ask(`${access.master}/ddfs/tag/data:t?delayed=1&update=`, {
      method: "POST",
      body: JSON.stringify(tag.urls),
    });
    assert.deepEqual(await linked.json(), ["disco://m/ddfs/vol0/tag/ab/t$2"]);
    assert.equal(asked[1]?.url, "/ddfs/tag/data:t?delayed=1&update=");
    assert.deepEqual(JSON.parse(asked[1]?.body ?? ""), [[blob, "http://x/y"], ["tag://u"]]);
    assert.equal(asked[1]?.headers["disco-tag-token"], undefined);
    // An attribute is a value of the user's, whatever it says.
    await ask(`${access.master}/ddfs/tag/data:t/note`, { method: "PUT", body: JSON.stringify(tag.urls[0]?.[0]) });
    assert.equal(asked[2]?.body, JSON.stringify(tag.urls[0]?.[0]));
    answer = (_question, response) =>
      void response.writeHead(401, { "content-type": "text/plain" }).end("Incorrect or missing token.");
    const refused = await ask(`${access.master}/ddfs/tag/data:t`, { method: "DELETE" });
    assert.deepEqual([refused.status, await refused.text()], [401, "Incorrect or missing token."]);
  });

  it("places blobs, takes them for any node, and places them elsewhere when one fails", async () => {
    answer = json([
      { host: "other", object: "b$703-1-1", url: "http://other:8990/x" },
      { host: "own", object: "b$703-1-1", url: "http://own:8990/x" },
    ]);
    const places = (await (await ask(`${access.master}/ddfs/new_blob/b?replicas=2`)).json()) as string[];
    assert.equal(asked[0]?.url, "/api/v1/ddfs/new_blob/b?replicas=2");
    const hash = hashOf("b$703-1-1");
    const stored = [];
    for (const place of places) {
      const reply = await ask(place, { method: "PUT", body: "the blob" });
      assert.equal(reply.status, 201);
      stored.push((await reply.json()) as string);
    }
    assert.deepEqual(stored, [
      `disco://other/ddfs/vol0/blob/${hash}/b$703-1-1`,
      `disco://own/ddfs/vol0/blob/${hash}/b$703-1-1`,
    ]);
    for (const url of stored)
      assert.equal(
        await (
          await ask(`${access.master}/proxy/${url.split("/")[2] ?? ""}/GET/${url.split("/").slice(3).join("/")}`)
        ).text(),
        "the blob",
      );
    assert.equal(access.addressForWorker(stored[1] ?? ""), stored[1]);
    // The same name again: refused by both. What the client leaves out then are those nodes.
    for (const place of places) assert.equal((await ask(place, { method: "PUT", body: "another" })).status, 500);
    await ask(`${access.master}/ddfs/new_blob/b?exclude=127.0.0.1,third&include=`);
    assert.equal(asked[1]?.url, "/api/v1/ddfs/new_blob/b?exclude=other%2Cthird");
  });

  it("refuses places in the words of Disco", async () => {
    answer = ({ url }, response) =>
      void response.writeHead(403).end(url.startsWith("/api/") ? '{"error":{}}' : "Not enough nodes for replicas.");
    const reply = await ask(`${access.master}/ddfs/new_blob/b?replicas=9`);
    assert.deepEqual([reply.status, await reply.text()], [403, "Not enough nodes for replicas."]);
  });

  it("holds requests while a master is replaced, and has them carried out once", async () => {
    const next = master;
    master = null;
    answer = ({ body }, response) => {
      // It took over a moment ago, and does not lead yet.
      if (asked.length < 3) response.writeHead(503).end();
      else json([body])(asked[0] as Asked, response);
    };
    const linked = ask(`${access.master}/ddfs/tag/t`, { method: "POST", body: '["tag://u"]' });
    setTimeout(() => (master = next), 50);
    assert.equal((await linked).status, 200);
    assert.deepEqual(
      asked.map(({ body }) => body),
      Array(3).fill('["tag://u"]'),
    );
    assert.equal(new Set(asked.map(({ headers }) => headers["idempotency-key"])).size, 1);
    assert.notEqual(asked[0]?.headers["idempotency-key"], undefined);
  });

  it("holds requests for files while their node is away", async () => {
    const url = await put(otherDir, "other", "j", "out", "there");
    const { other = "" } = nodes;
    nodes = {};
    const reply = ask(`${access.master}/disco/${jobDirectory("other", "j")}/out`);
    setTimeout(() => (nodes = { other }), 50);
    assert.equal(await (await reply).text(), "there", url);
  });
});
