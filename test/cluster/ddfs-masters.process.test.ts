/**
 * DDFS of a cluster of real processes, through its masters: any master serves, bytes flow past them or through them, and whoever leads
 * while tags are changed is killed.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import type { BlobTarget, DdfsApi } from "../../src/client/ddfs/ddfs-api.ts";
import { Disco } from "../../src/index.ts";
import { ask } from "../daemon/plain-http.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";

async function store(api: DdfsApi, target: BlobTarget, bytes: Buffer): Promise<string> {
  return (await api.putBlob(target, Readable.from([bytes]), { size: bytes.length })).url;
}

async function read(api: DdfsApi, url: string): Promise<Buffer> {
  return await buffer((await api.openBlob(url)).body);
}

describe("DDFS of a cluster", () => {
  it("places replicas on nodes that are there, and is served by each master, the bytes by nodes or through masters", async () => {
    await using stand = await ProcessStand.open({ servers: 1, masters: 2, nodes: ["n1", "n2", "n3"] });
    const follower = await stand.follower();
    const followerUrl = stand.masterUrls[stand.masters.indexOf(follower)] ?? "";
    const disco = new Disco(followerUrl.replace("http", "disco"));
    try {
      const api = await disco.ddfs.api();
      await stand.until("all nodes have told of their volumes", async () =>
        (await api.space()).every(({ volumes }) => volumes.length > 0),
      );
      const bytes = randomBytes(200_000);
      const targets = await api.newBlob("data");
      assert.deepEqual(targets.map(({ host }) => host).sort(), ["n1", "n2", "n3"]);
      const urls = await Promise.all(targets.map((target) => store(api, target, bytes)));
      for (const url of urls) assert.ok(bytes.equals(await read(api, url)), url);
      await api.link("data", [urls]);
      assert.deepEqual((await api.tag("data")).urls, [urls]);
      assert.deepEqual(await api.hostedTags("n2"), ["data"]);
      await assert.rejects(api.newBlob("data", { replicas: 4 }), { code: "not-enough-nodes", message: /3 nodes can/ });

      // As a client does it that reaches no machine but a master.
      for (const url of stand.masterUrls) {
        const [target] = await api.newBlob("small", { replicas: 1, include: ["n2"] });
        assert.ok(target !== undefined);
        const put = await ask(url, `/proxy/n2/PUT/ddfs/${target.object}`, { method: "PUT", body: "through a master" });
        assert.equal(put.status, 201, put.text);
        const path = (put.json() as string).replace("disco://n2", "");
        const got = await ask(url, `/proxy/n2/GET${path}`, { headers: { range: "bytes=0-6" } });
        assert.deepEqual([got.status, got.text], [206, "through"]);
        assert.equal((await ask(url, `/proxy/n2/GET${path.replace("vol0", "vol0/..")}`)).status, 400);
        assert.equal((await ask(url, `/proxy/nobody/GET${path}`)).status, 404);
        const again = await ask(url, `/proxy/n2/PUT/ddfs/${target.object}`, { method: "PUT", body: "something else" });
        assert.equal(again.status, 500);
        assert.equal((await ask(url, "/ddfs/tag/data")).status, 200);
      }

      // A node that is silent gets none, and a blob has as many replicas as there are nodes for it.
      stand.node("n3").pause();
      await stand.until("n3 gets no blobs", async () => (await api.newBlob("x")).length === 2);
      await assert.rejects(api.newBlob("x", { replicas: 3 }), {
        code: "not-enough-nodes",
        message: /2 nodes can take/,
      });
      await assert.rejects(api.newBlob("x", { replicas: 2, exclude: ["n1"] }), { code: "not-enough-nodes" });
      stand.node("n3").wake();
      await stand.until("n3 gets blobs again", async () => (await api.newBlob("x")).length === 3);
      await api.openBlob(urls[0] ?? "").then(({ body }) => body.destroy());
    } finally {
      await disco.close();
    }
  });

  it("loses no update of a tag, and makes none twice, whoever leads meanwhile", async () => {
    await using stand = await ProcessStand.open({ servers: 1, masters: 2, nodes: ["n1"] });
    const clients = [stand.client(), stand.client()];
    try {
      const apis = await Promise.all(clients.map((client) => client.ddfs.api()));
      const [first] = apis;
      assert.ok(first !== undefined);
      await first.link("busy", []);
      let isOver = false;
      const takeovers = (async () => {
        for (let i = 0; i < 2; i++) {
          await new Promise((resolve) => setTimeout(resolve, 700));
          await stand.takeover();
          await stand.restore();
        }
        isOver = true;
      })();
      const sent: string[] = [];
      const client = async (api: DdfsApi, name: string): Promise<void> => {
        for (let i = 0; !isOver || i < 200; i++) {
          const url = `raw://${name}-${i}`;
          await api.link("busy", [[url]], { delayed: i % 25 === 0 });
          sent.push(url);
        }
      };
      await Promise.all([takeovers, ...apis.map((api, i) => client(api, `c${i}`))]);
      // A list that is sent in parts is there whole, or not at all.
      const many = Array.from({ length: 20_000 }, (_, i) => [
        `raw://many-${createHash("md5").update(`${i}`).digest("hex")}`,
      ]);
      const linking = first.link("many", many);
      await stand.takeover();
      await linking;
      assert.equal((await first.tag("many")).urls.length, many.length);
      const urls = (await first.tag("busy")).urls.map(([url]) => url ?? "");
      assert.deepEqual(urls.toSorted(), sent.toSorted());
    } finally {
      for (const client of clients) await client.close();
    }
  });
});
