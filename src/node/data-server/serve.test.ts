import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { freshObject } from "../../blobs/contract.ts";
import { loopbackCertificate, skipWithoutOpenssl } from "../../http/certificate.test-kit.ts";
import { dataTokenOf } from "../../http/data-token.ts";
import { OwnBlobs } from "../ddfs/own-blobs.ts";
import { Peers } from "../fetch/peers.ts";
import { jobDirectory } from "../job-directory.ts";
import { createDataServer } from "./data-server.ts";
import { type NodeDataParts, serveNodeData } from "./serve.ts";

const root = await mkdtemp(join(tmpdir(), "disco-serve-"));
after(() => rm(root, { recursive: true, force: true }));
const home = jobDirectory("n1", "count@1");
await mkdir(join(root, home), { recursive: true });
await writeFile(join(root, home, "part-0"), "hello");
const path = `/disco/${home}/part-0`;
const parts: NodeDataParts = { dataDir: root, node: "n1", host: "127.0.0.1", port: 0, tokens: {} };
const signal = new AbortController().signal;

async function body(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk.toString();
  return text;
}

it("gives files to whoever has the token, health to everybody, and nothing to others", async (t) => {
  const codes: string[] = [];
  const noted = ({ code }: { code: string }): unknown => codes.push(code);
  const server = await serveNodeData({ ...parts, tokens: { admin: "secret" }, noted });
  t.after(() => server.close());
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  assert.equal((await fetch(server.url + path)).status, 401);
  const wrong = await fetch(server.url + path, { headers: { authorization: "Bearer wrong" } });
  assert.equal(wrong.status, 401);
  assert.match(await wrong.text(), /same token/);
  const right = await fetch(server.url + path, { headers: { authorization: "Bearer secret" } });
  assert.equal(await right.text(), "hello");
  assert.equal((await fetch(`${server.url}/nothing`, { headers: { authorization: "Bearer secret" } })).status, 404);
  assert.deepEqual(codes, ["unauthorized", "unauthorized"]);
});

it("does not listen where others reach it without a token", async () => {
  await assert.rejects(serveNodeData({ ...parts, host: "0.0.0.0" }), { code: "token-needed" });
});

it("without a token answers only what is addressed to this machine", async (t) => {
  const server = await serveNodeData(parts);
  t.after(() => server.close());
  const asked = (host: string): Promise<number> =>
    new Promise((resolve, reject) => {
      http
        .get(server.url + path, { headers: { host } }, (reply) => {
          reply.resume();
          resolve(reply.statusCode ?? 0);
        })
        .on("error", reject);
    });
  assert.equal(await asked(`localhost:${server.port}`), 200);
  assert.equal(await asked("rebound.example"), 403);
});

it("answers over TLS to whom trusts its certificate, with the token for nobody else", {
  skip: skipWithoutOpenssl(),
}, async (t) => {
  const tls = loopbackCertificate();
  const server = await serveNodeData({ ...parts, tokens: { read: "secret" }, tls });
  t.after(() => server.close());
  const trusting = new Peers({ urlOf: () => server.url, token: "secret", ca: tls.cert });
  const doubting = new Peers({ urlOf: () => server.url, token: "secret" });
  t.after(() => [trusting, doubting].map((peers) => peers.close()));
  assert.match(server.url, /^https:/);
  const reply = await trusting.ask(trusting.urlOf("n1") + path, { method: "GET", signal });
  assert.equal(await body(reply), "hello");
  await assert.rejects(doubting.ask(server.url + path, { method: "GET", signal }), /self-signed|certificate/);
  await assert.rejects(serveNodeData({ ...parts, tls: { cert: "no", key: "no" } }), { code: "bad-certificate" });
});

it("passes requests on to a node with the cluster's token instead of the client's", async (t) => {
  const server = await serveNodeData({ ...parts, tokens: { admin: "of-the-cluster" } });
  const peers = new Peers({ urlOf: () => undefined, token: "of-the-cluster" });
  const serve = createDataServer({ dataDir: root, host: "m", nodes: () => ({ n1: server.url }), peers });
  const master = http.createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => master.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    master.closeAllConnections();
    master.close();
    peers.close();
    await server.close();
  });
  const { port } = master.address() as AddressInfo;
  const headers = { authorization: "Bearer a-clients" };
  for (const address of [`/proxy/n1/GET${path}`, path]) {
    const reply = await fetch(`http://127.0.0.1:${port}${address}`, { headers });
    assert.equal(reply.status, 200);
    assert.equal(await reply.text(), "hello");
  }
  const unknown = `/disco/${jobDirectory("n9", "count@1")}/part-0`;
  assert.equal((await fetch(`http://127.0.0.1:${port}${unknown}`, { headers })).status, 404);
});

it("takes blobs from whoever may submit jobs, gives them to readers, and to the proxy's addresses of its own node", async (t) => {
  const blobs = new OwnBlobs({ dataDir: root });
  const tokens = { read: "reads", submit: "submits" };
  const server = await serveNodeData({ ...parts, blobs, tokens });
  t.after(() => server.close());
  const ask = async (way: string, token: string, method = "GET", body: string | null = null): Promise<Response> =>
    await fetch(server.url + way, { method, body, headers: { authorization: `Bearer ${token}` } });
  const object = freshObject();
  assert.equal((await ask(`/ddfs/${object}`, "reads", "PUT", "bytes")).status, 403);
  assert.equal((await ask(`/ddfs/${object}`, dataTokenOf("submits"), "PUT", "bytes")).status, 403);
  assert.equal((await ask(`/ddfs/${object}`, "wrong", "PUT", "bytes")).status, 401);
  assert.deepEqual(blobs.info, []);
  const put = await ask(`/ddfs/${object}`, "submits", "PUT", "bytes");
  assert.equal(put.status, 201);
  const way = new URL((await put.json()) as string).pathname;
  for (const [base, token] of [
    ["", "reads"],
    ["", dataTokenOf("submits")],
    ["/proxy/n1/GET", "reads"],
  ] as const)
    assert.equal(await (await ask(base + way, token)).text(), "bytes");
  // Who asks whether to send is told before it has.
  const refused = await new Promise<number>((resolve, reject) => {
    const headers = { authorization: "Bearer reads", expect: "100-continue", "content-length": 1e9 };
    const asking = http.request(`${server.url}/ddfs/${freshObject()}`, { method: "PUT", headers });
    asking.on("continue", () => reject(new Error("it was to go on")));
    asking.on("response", ({ statusCode = 0 }) => resolve(statusCode));
    asking.on("error", reject).flushHeaders();
    t.after(() => asking.destroy());
  });
  assert.equal(refused, 403);
  const other = freshObject();
  assert.equal((await ask(`/proxy/n1/PUT/ddfs/${other}`, "submits", "PUT", "more")).status, 201);
  assert.equal((await ask(`/proxy/n1/PUT/ddfs/${other}`, "submits")).status, 405);
  assert.equal((await (await blobs.open()).stat(other))?.size, 4);
});
