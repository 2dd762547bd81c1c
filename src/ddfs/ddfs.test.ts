import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import type { NodeSpace } from "../client/ddfs/ddfs-api.ts";
import { Tags } from "../core/ddfs/tags.ts";
import { type Collection, Ddfs } from "./ddfs.ts";
import type { Decider } from "./decider.ts";
import { TagService } from "./tag-service.ts";

function space(host: string, freeBytes: number, more: Partial<NodeSpace> = {}): NodeSpace {
  const volumes = [{ volume: "vol0", freeBytes, usedBytes: 0, trouble: null }];
  return { host, connected: true, leaving: false, volumes, ...more };
}

const none = async (): Promise<never> => assert.fail("not asked for here");
const collection: Collection = {
  gcStart: none,
  gcStatus: none,
  gcStats: none,
  safeGcBlacklist: none,
  scrubStart: none,
  scrubStatus: none,
  async *fsck() {},
};

function open(spaces: NodeSpace[], addresses: Readonly<Record<string, string>> = {}): Ddfs {
  const tags = new Tags();
  const decider: Decider = {
    machine: { tags, gcBlacklist: new Set() },
    record: (events) => {
      for (const event of events) tags.handle(event);
    },
    committed: async () => undefined,
    assured: async () => undefined,
    assertRoom: () => undefined,
  };
  const files = new Map<string, Buffer>();
  return new Ddfs({
    decider,
    collection,
    tags: new TagService({ decider, now: () => 1_000 }),
    replicas: () => 1,
    reserveBytes: 10,
    host: "m",
    now: () => 1_000,
    nodes: {
      spaces: async () => spaces,
      urlFor: (host, object) => `http://${addresses[host] ?? host}/ddfs/${object}`,
      async put({ host, object }, body) {
        const bytes = Buffer.concat(await Array.fromAsync(body));
        files.set(`${host}/${object}`, bytes);
        return { object, volume: "vol0", size: bytes.length, digest: "d", storedAt: 1 };
      },
      async open({ host, object }) {
        const bytes = files.get(`${host}/${object}`);
        return bytes === undefined ? null : { size: bytes.length, digest: null, body: Readable.from([bytes]) };
      },
      stat: async () => null,
    },
  });
}

describe("DDFS of a master", () => {
  it("gives each blob an object of its own and different nodes, those with room first", async () => {
    const ddfs = open([space("a", 100), space("b", 90), space("c", 20)]);
    const seen = new Set<string>();
    const first = new Set<string>();
    for (let i = 0; i < 1_000; i++) {
      const targets = await ddfs.newBlob("chunk", { replicas: 2 });
      assert.equal(new Set(targets.map(({ host }) => host)).size, 2);
      assert.equal(new Set(targets.map(({ object }) => object)).size, 1);
      first.add(targets[0]?.host ?? "");
      seen.add(targets[0]?.object ?? "");
    }
    assert.equal(seen.size, 1_000);
    assert.deepEqual([...first].sort(), ["a", "b"]);
  });

  it("says how many nodes there are when too few can take a replica", async () => {
    const ddfs = open([space("a", 100), space("b", 100, { connected: false }), space("c", 100, { leaving: true })]);
    await assert.rejects(ddfs.newBlob("x", { replicas: 2 }), {
      code: "not-enough-nodes",
      message: /2 replicas .* 1 node can take one, 2 of 3 are away/,
    });
    assert.equal((await ddfs.newBlob("x")).length, 1);
    await assert.rejects(ddfs.newBlob("x", { include: ["nobody"] }), { code: "unknown-node" });
    await assert.rejects(ddfs.newBlob("../x"), { code: "bad-name" });
    for (const replicas of [0, -1, 1.5, 65, Number.NaN])
      await assert.rejects(ddfs.newBlob("x", { replicas }), { code: "bad-replicas" });
  });

  it("places none on a node that Disco's clients exclude by the host of its address", async () => {
    const ddfs = open([space("a", 100), space("b", 100), space("c", 100)], { a: "10.0.0.1:8989", b: "10.0.0.1:8990" });
    const hosts = async (options: object): Promise<string[]> =>
      (await ddfs.newBlob("x", options)).map(({ host }) => host);
    for (let i = 0; i < 3; i++) assert.deepEqual(await hosts({ exclude: ["10.0.0.1"] }), ["c"], "both are there");
    assert.deepEqual((await hosts({ include: ["10.0.0.1"], replicas: 2 })).sort(), ["a", "b"]);
    assert.deepEqual(await hosts({ exclude: ["10.0.0.1", "a"] }), ["c"]);
    await assert.rejects(hosts({ exclude: ["10.0.0.1", "c"] }), { code: "not-enough-nodes" });
    await assert.rejects(hosts({ exclude: ["10.0.0.2"] }), { code: "unknown-node" });
  });

  it("keeps blobs and tags together", async () => {
    const ddfs = open([space("a", 100)]);
    const [target] = await ddfs.newBlob("x");
    assert.ok(target !== undefined);
    const { url } = await ddfs.putBlob(target, Readable.from([Buffer.from("hello")]));
    await ddfs.link("t", [[url]]);
    assert.deepEqual((await ddfs.tag("t")).urls, [[url]]);
    assert.equal(Buffer.concat(await Array.fromAsync((await ddfs.openBlob(url)).body)).toString(), "hello");
    assert.deepEqual(await ddfs.hostedTags("a"), ["t"]);
    assert.deepEqual(await ddfs.hostedTags("b"), []);
    await assert.rejects(ddfs.openBlob("disco://a/elsewhere"), { code: "bad-url" });
  });

  it("gives a blob whose name is too long for a file another one", async () => {
    const ddfs = open([space("a", 100)]);
    const [target] = await ddfs.newBlob("n".repeat(300));
    assert.match(target?.object ?? "", /^[0-9a-f]{32}\$/);
  });
});
