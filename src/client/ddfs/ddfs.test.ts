import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { DataError } from "../../errors.ts";
import { chunksOf, down, type Kit, openKit } from "./ddfs.test-kit.ts";
import { DDFS } from "./ddfs.ts";

const damaged = (): DataError => new DataError("damaged", { code: "blob-damaged" });

async function pushed(hosts: readonly string[], bytes: Uint8Array): Promise<Kit> {
  const kit = openKit(hosts);
  await kit.ddfs.push("t", { name: "x", data: bytes }, { replicas: hosts.length });
  return kit;
}

describe("tags of a client", () => {
  it("are linked, replaced, listed, told of, and deleted", async () => {
    const { ddfs } = openKit();
    assert.equal(await ddfs.exists("data:a"), false);
    await ddfs.tag("data:a", [["http://x.example/1"], "http://x.example/2"]);
    await ddfs.tag("tag://data:a", ["http://x.example/0"]);
    assert.equal(await ddfs.exists("data:a"), true);
    const urls = [["http://x.example/0"], ["http://x.example/1"], ["http://x.example/2"]];
    assert.deepEqual(await ddfs.urls("data:a"), urls);
    const { id, version } = await ddfs.get("data:a");
    assert.match(id, /^data:a\$/);
    assert.equal(version, 1);
    await ddfs.put("data:a", ["http://x.example/9"]);
    assert.deepEqual(await ddfs.urls("data:a"), [["http://x.example/9"]]);
    await ddfs.tag("data:b", []);
    await ddfs.tag("other", []);
    assert.deepEqual(await ddfs.list("data:"), ["data:a", "data:b"]);
    assert.deepEqual(await ddfs.list(), ["data:a", "data:b", "other"]);
    await ddfs.delete("other");
    await ddfs.delete("other");
    assert.equal(await ddfs.exists("other"), false);
    for (const missing of [ddfs.get("other"), ddfs.urls("other"), ddfs.attrs("other"), ddfs.getattr("other", "a")])
      await assert.rejects(missing, { code: "unknown-tag" });
  });

  it("have attributes of any JSON", async () => {
    const { ddfs } = openKit();
    await ddfs.setattr("t", "owner", "me");
    await ddfs.setattr("t", "sizes", [1, { two: null }]);
    assert.deepEqual(await ddfs.attrs("t"), { owner: "me", sizes: [1, { two: null }] });
    assert.deepEqual(await ddfs.getattr("t", "sizes"), [1, { two: null }]);
    await ddfs.delattr("t", "owner");
    assert.deepEqual(await ddfs.attrs("t"), { sizes: [1, { two: null }] });
    await assert.rejects(ddfs.getattr("t", "owner"), { code: "unknown-attribute" });
    await assert.rejects(ddfs.setattr("t", "big", "x".repeat(5_000)), { code: "bad-attribute" });
    assert.deepEqual(await ddfs.getattr("t", "ddfs:urls"), []);
  });

  it("are protected by tokens: of a call, of the address, of the client, of the environment, in this order", async (t) => {
    const { ddfs, api } = openKit();
    await ddfs.setattr("t", "ddfs:read-token", "r");
    await ddfs.setattr("t", "ddfs:write-token", "w");
    await assert.rejects(ddfs.get("t"), { code: "tag-unauthorized" });
    await assert.rejects(ddfs.get("tag://x@/t"), { code: "tag-unauthorized" });
    await assert.rejects(ddfs.tag("t", [], { token: "r" }), { code: "tag-unauthorized" });
    await ddfs.get("t", { token: "r" });
    await ddfs.get("tag://r@/t");
    await ddfs.get("tag://user:r@host:8989/t");
    await ddfs.get("tag://x@/t", { token: "r" });
    await ddfs.tag("t", [], { token: "w" });
    assert.equal(await ddfs.exists("t"), true);
    const both = new DDFS(undefined, { readToken: "r", writeToken: "w" });
    t.mock.method(both, "api", async () => api);
    await both.get("t");
    await both.tag("t", []);
    assert.equal(await both.getattr("t", "ddfs:write-token"), "w");
    process.env["DDFS_READ_TOKEN"] = "r";
    process.env["DDFS_WRITE_TOKEN"] = "w";
    t.after(() => {
      delete process.env["DDFS_READ_TOKEN"];
      delete process.env["DDFS_WRITE_TOKEN"];
    });
    await ddfs.get("t");
    await ddfs.put("t", []);
    assert.deepEqual(await Array.fromAsync(ddfs.blobs("t")), []);
    await ddfs.delete("t");
  });

  it("of out-of-band values are read with the token that Disco's clients show", async () => {
    const { ddfs } = openKit();
    await ddfs.tag("disco:job:oob:job@703:1:2", [], { token: "job" });
    await ddfs.get("disco:job:oob:job@703:1:2");
    await assert.rejects(ddfs.get("disco:job:oob:job@703:1:2", { token: "other" }), { code: "tag-unauthorized" });
  });

  it("have names that can be names, which is said before anything is asked", async () => {
    const { ddfs } = openKit();
    for (const bad of [
      "",
      "a b",
      "a/b",
      "../a",
      "tag://",
      "tag://h/",
      "tag://a/b/c",
      "-",
      "ä",
      "a\n",
      "a".repeat(512),
      "http://h/x",
    ])
      for (const ask of [ddfs.get(bad), ddfs.tag(bad, []), ddfs.exists(bad), ddfs.delete(bad), ddfs.push(bad, "x")])
        await assert.rejects(ask, { code: "bad-name" }, bad);
    await assert.rejects(ddfs.get(null as unknown as string), { code: "bad-name" });
    await assert.rejects(ddfs.tag("t", "http://x" as unknown as string[]), { code: "bad-url" });
    await assert.rejects(ddfs.tag("t", [[]]), { code: "bad-url" });
    await assert.rejects(ddfs.tag("t", ["a\tb"]), { code: "bad-url" });
    await assert.rejects(ddfs.get("t", { tokn: "x" } as object), { code: "unknown-option", message: /token/ });
    assert.equal(DDFS.safeName("some dir/ä b.gz"), "some_dir___b_gz");
  });
});

describe("walking from tag to tag", () => {
  async function circle(): Promise<Kit> {
    const kit = openKit();
    const { ddfs } = kit;
    await ddfs.tag("leaf", ["http://x/3"]);
    await ddfs.tag("b", ["tag://leaf", "tag://a", "http://x/2", "tag://gone"]);
    await ddfs.tag("a", ["tag://b", "http://x/1", "tag://a", "tag://host:8989/leaf"]);
    return kit;
  }

  it("visits none twice, whatever links to whatever, itself included", async () => {
    const { ddfs } = await circle();
    assert.deepEqual(await Array.fromAsync(ddfs.blobs("a")), [["http://x/1"], ["http://x/2"], ["http://x/3"]]);
    assert.deepEqual(await Array.fromAsync(ddfs.walk("a")), [
      [["tag://a"], ["tag://b", "tag://a", "tag://leaf"], [["http://x/1"]]],
      [["tag://a", "tag://b"], ["tag://leaf", "tag://a", "tag://gone"], [["http://x/2"]]],
      [["tag://a", "tag://b", "tag://leaf"], [], [["http://x/3"]]],
      [["tag://a", "tag://b", "tag://gone"], [], []],
    ]);
    const found = await Array.fromAsync(ddfs.findtags(["leaf", "tag://a", "leaf"]));
    assert.deepEqual(
      found.map(([tag]) => tag),
      ["tag://leaf", "tag://a", "tag://b"],
    );
  });

  it("passes over links that lead nowhere, and asks for the tag itself, unless it is told otherwise", async () => {
    const { ddfs } = await circle();
    for (const walk of [ddfs.blobs("none"), ddfs.walk("none"), ddfs.findtags("none"), ddfs.pull("none")])
      await assert.rejects(Array.fromAsync(walk as AsyncIterable<unknown>), { code: "unknown-tag" });
    assert.deepEqual(await Array.fromAsync(ddfs.blobs("none", { ignoreMissing: true })), []);
    await assert.rejects(Array.fromAsync(ddfs.blobs("a", { ignoreMissing: false })), { code: "unknown-tag" });
  });

  it("goes as deep as the links do", async () => {
    const { ddfs } = openKit();
    for (let i = 0; i < 3_000; i++) await ddfs.tag(`t${i}`, [`tag://t${i + 1}`]);
    await ddfs.tag("t3000", ["http://x/end"]);
    assert.deepEqual(await Array.fromAsync(ddfs.blobs("t0")), [["http://x/end"]]);
  });
});

describe("pulling", () => {
  it("gives the blobs whose names the filter likes, each fetched when it is read", async () => {
    const { ddfs, nodes } = openKit();
    await ddfs.push("t", [
      { name: "a", data: "1" },
      { name: "b", data: "2" },
    ]);
    let opened = 0;
    nodes.onOpen = (_host, bytes) => {
      opened++;
      return [bytes];
    };
    const blobs = await Array.fromAsync(ddfs.pull("t", { blobfilter: (name) => name === "b" }));
    assert.equal(opened, 0);
    assert.deepEqual(await Promise.all(blobs.map((blob) => blob.text())), ["2"]);
    assert.equal(opened, 1);
    assert.equal((await blobs[0]?.stat())?.size, 1);
  });

  it("goes on with another replica at the byte where one failed", async () => {
    const bytes = randomBytes(50_000);
    const { ddfs, nodes } = await pushed(["a", "b", "c"], bytes);
    let failures = 0;
    nodes.onOpen = function* (host, all) {
      yield* chunksOf(all.subarray(0, host === "c" ? undefined : 20_000 + failures * 777));
      if (host === "c") return;
      failures++;
      throw down(host);
    };
    for (let i = 0; i < 20; i++) {
      for await (const blob of ddfs.pull("t")) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of blob) chunks.push(chunk);
        assert.ok(bytes.equals(Buffer.concat(chunks)));
      }
    }
    assert.ok(failures > 5);
  });

  it("says what is wrong with each replica when none can be read", async () => {
    const { ddfs, nodes } = await pushed(["a", "b"], Buffer.from("abc"));
    nodes.onOpen = (host) => {
      throw down(host);
    };
    const [blob] = await Array.fromAsync(ddfs.pull("t"));
    await assert.rejects(blob?.bytes() ?? Promise.resolve(), {
      code: "no-replica",
      message:
        /^none of 2 replicas can be read:(?=[^]*\n {2}disco:\/\/a\/\S+: a is down)[^]*\n {2}disco:\/\/b\/\S+: b is down/,
    });
    nodes.files.clear();
    await assert.rejects(blob?.bytes() ?? Promise.resolve(), { code: "no-replica", message: /is not there/ });
  });

  it("serves nothing of a damaged replica where it gives the whole, and says so where it gave part of it", async () => {
    const bytes = randomBytes(30_000);
    const { ddfs, nodes } = await pushed(["a", "b"], bytes);
    const flipped = Buffer.from(bytes);
    flipped[12_345] = (flipped[12_345] as number) ^ 1;
    let isDamaged = true;
    nodes.onOpen = function* (host, all) {
      if (host === "b") return yield* chunksOf(all);
      if (!isDamaged) throw damaged();
      // As stores do: the last chunk comes when all of it was found sound.
      isDamaged = false;
      yield* chunksOf(flipped.subarray(0, 29_000));
      throw damaged();
    };
    for (let i = 0; i < 20; i++) {
      isDamaged = true;
      for await (const blob of ddfs.pull("t")) assert.ok(bytes.equals(await blob.bytes()));
    }
    const outcomes = new Set<string>();
    for (let i = 0; i < 40; i++) {
      isDamaged = true;
      for await (const blob of ddfs.pull("t")) {
        try {
          assert.ok(
            bytes.equals(
              Buffer.concat(await Array.fromAsync({ [Symbol.asyncIterator]: () => blob[Symbol.asyncIterator]() })),
            ),
          );
          outcomes.add("whole");
        } catch (error) {
          outcomes.add((error as { code: string }).code);
        }
      }
    }
    assert.deepEqual([...outcomes].sort(), ["replica-differs", "whole"]);
  });

  it("saves a blob as a file that is there when all of it is", async (t) => {
    const directory = await mkdtemp(join(tmpdir(), "disco-pull-"));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const bytes = randomBytes(200_000);
    const { ddfs, nodes } = await pushed(["a"], bytes);
    const [blob] = await Array.fromAsync(ddfs.pull("t"));
    assert.ok(blob !== undefined);
    const path = join(directory, "x");
    await writeFile(path, "before");
    assert.equal(await blob.save(path), 200_000);
    assert.ok(bytes.equals(await readFile(path)));
    nodes.onOpen = function* (_host, all) {
      yield* chunksOf(all.subarray(0, 100_000));
      throw damaged();
    };
    await assert.rejects(blob.save(join(directory, "y")), { code: "blob-damaged" });
    assert.deepEqual(await readdir(directory), ["x"]);
  });

  it("reads addresses of other places that a tag names, and stops when it is told to", async (t) => {
    const directory = await mkdtemp(join(tmpdir(), "disco-pull-"));
    t.after(() => rm(directory, { recursive: true, force: true }));
    await writeFile(join(directory, "f"), "a file");
    const { ddfs } = openKit();
    await ddfs.tag("t", ["raw://some_text", [`file://${directory}/none`, `file://${directory}/f`]]);
    const texts = new Set<string>();
    for await (const blob of ddfs.pull("t")) texts.add(await blob.text());
    assert.deepEqual(texts, new Set(["some_text", "a file"]));
    await assert.rejects(Array.fromAsync(ddfs.pull("t", { signal: AbortSignal.abort(new Error("stop")) })), /stop/);
  });
});
