/** DDFS of a daemon as the library's client sees it, over HTTP: what it answers is what an engine in the same process would. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import type { DdfsApi } from "../../src/client/ddfs/ddfs-api.ts";
import { Disco } from "../../src/index.ts";
import { startDaemon, type TestDaemon } from "./daemon.test-kit.ts";

const admin = "admin-a-token-0123456";

/** A way to the daemon that loses the answers to some requests, after they were carried out. */
async function lossyProxy(
  to: string,
  loses: (request: http.IncomingMessage) => boolean,
): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = http.createServer((request, response) => {
    const isLost = loses(request);
    const { hostname, port } = new URL(to);
    const sent = http.request({ hostname, port, path: request.url, method: request.method, headers: request.headers });
    request.pipe(sent);
    sent.once("response", (answer) => {
      if (isLost) {
        answer.resume();
        answer.once("end", () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    sent.on("error", () => request.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `disco://127.0.0.1:${port}`, close };
}

describe("DDFS over HTTP, for the library's client", () => {
  let daemon: TestDaemon;
  let disco: Disco;
  let api: DdfsApi;

  before(async () => {
    daemon = await startDaemon({ env: { DISCO_TOKEN: admin, DISCO_SUBMIT_TOKEN: "submits-a-token-0123" } });
    disco = new Disco(daemon.address, { token: "submits-a-token-0123" });
    api = await disco.ddfs.api();
  });
  after(async () => {
    await disco.close();
    await daemon[Symbol.asyncDispose]();
  });

  async function store(name: string, bytes: Buffer, of: DdfsApi = api): Promise<string> {
    const [target] = await of.newBlob(name);
    assert.ok(target !== undefined);
    return (await of.putBlob(target, Readable.from([bytes]), { size: bytes.length })).url;
  }

  it("stores blobs, and reads them from any byte, checked to the end", async () => {
    const bytes = randomBytes(300_000);
    const digest = createHash("sha256").update(bytes).digest("hex");
    const url = await store("blob", bytes);
    assert.match(url, /^disco:\/\/localhost\/ddfs\/vol0\/blob\//);
    const opened = await api.openBlob(url);
    assert.deepEqual([opened.size, opened.digest], [bytes.length, digest]);
    assert.ok(bytes.equals(await buffer(opened.body)));
    assert.ok(bytes.subarray(299_000).equals(await buffer((await api.openBlob(url, { from: 299_000 })).body)));
    assert.equal((await buffer((await api.openBlob(url, { from: 300_000 })).body)).length, 0);
    const stat = await api.statBlob(url);
    assert.deepEqual([stat?.size, stat?.digest, stat?.volume], [bytes.length, digest, "vol0"]);
    const missing = url.replace(/\/[^/]+\$.*$/, "/none$1-1-1");
    await assert.rejects(api.openBlob(missing), { code: "no-such-blob" });
    assert.equal(await api.statBlob(missing), null);
    await assert.rejects(api.openBlob("disco://localhost/etc/passwd"), { code: "bad-url" });
  });

  it("refuses an upload that is not what was said of it, and one that comes twice with other bytes", async () => {
    const [target] = await api.newBlob("said");
    assert.ok(target !== undefined);
    const body = (): Readable => Readable.from([Buffer.from("abc")]);
    await assert.rejects(api.putBlob(target, body(), { digest: "0".repeat(64) }));
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from("half");
        throw new Error("the source broke off");
      })(),
    );
    await assert.rejects(api.putBlob(target, failing));
    const { url } = await api.putBlob(target, body());
    await assert.rejects(api.putBlob(target, Readable.from([Buffer.from("xyz")])));
    assert.equal((await buffer((await api.openBlob(url)).body)).toString(), "abc");
  });

  it("changes tags and tells of them with the errors of an engine in the same process", async () => {
    await api.link("t", [["raw://a"]]);
    await api.link("t", [["raw://b", "raw://b2"]], { delayed: true });
    const tag = await api.tag("t");
    assert.deepEqual(tag.urls, [["raw://b", "raw://b2"], ["raw://a"]]);
    await assert.rejects(api.putTag("t", [], { ifId: "t$1-1-1" }), { code: "tag-changed" });
    await api.putTag("t", [["raw://c"]], { ifId: tag.id });
    await api.setAttr("t", "a/ü", { deep: [1, null] });
    assert.deepEqual(await api.getAttr("t", "a/ü"), { deep: [1, null] });
    assert.deepEqual(await api.getAttr("t", "ddfs:urls"), [["raw://c"]]);
    assert.equal(await api.getAttr("t", "ddfs:write-token"), null);
    await api.delAttr("t", "a/ü");
    await api.delAttr("t", "a/ü");
    await assert.rejects(api.getAttr("t", "a/ü"), { code: "unknown-attribute" });
    assert.deepEqual(await api.tags("t"), ["t"]);
    await api.deleteTag("t");
    await assert.rejects(api.tag("t"), { code: "unknown-tag", url: "tag://t" });
    await assert.rejects(api.tag("../x"), { code: "bad-name" });
    await assert.rejects(api.link("t", [["a b"]]), { code: "bad-url" });
    await assert.rejects(api.newBlob("x", { replicas: 2 }), { code: "not-enough-nodes" });
    await assert.rejects(api.newBlob("x", { exclude: ["nobody"] }), { code: "unknown-node" });
    await api.link("mine", [], { token: "gehéim" });
    await assert.rejects(api.tag("mine"), { code: "tag-unauthorized" });
    await assert.rejects(api.link("mine", [], { token: "other" }), { code: "tag-unauthorized" });
    assert.equal((await api.tag("mine", { token: "gehéim" })).urls.length, 0);
    assert.deepEqual(await api.hostedTags("localhost"), []);
    assert.equal((await api.space())[0]?.host, "localhost");
  });

  it("carries a request out once whose answer was lost", async () => {
    let lost = 0;
    const proxy = await lossyProxy(
      daemon.url,
      ({ method }) => method !== "GET" && method !== "HEAD" && lost++ % 2 === 0,
    );
    const through = new Disco(proxy.url, { token: "submits-a-token-0123" });
    try {
      const of = await through.ddfs.api();
      for (let i = 0; i < 3; i++) await of.link("once", [[`raw://${i}`]], { delayed: i === 2 });
      const { urls, id } = await of.tag("once");
      assert.deepEqual(urls, [["raw://2"], ["raw://1"], ["raw://0"]]);
      await of.putTag("once", [["raw://x"]], { ifId: id });
      await of.setAttr("once", "n", 1);
      await of.delAttr("once", "n");
      assert.deepEqual((await api.tag("once")).urls, [["raw://x"]]);
      assert.ok(lost >= 10, `${lost} requests`);
    } finally {
      await through.close();
      proxy.close();
    }
  });
});
