import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DdfsEvent } from "../core/ddfs/events.ts";
import { Tags } from "../core/ddfs/tags.ts";
import type { Decider } from "./decider.ts";
import { TagService } from "./tag-service.ts";

interface Stand {
  readonly service: TagService;
  readonly tags: Tags;
  readonly events: DdfsEvent[];
  readonly longest: () => number;
}

function stand(delayMs = 5): Stand {
  const tags = new Tags();
  const events: DdfsEvent[] = [];
  let longest = 0;
  const decider: Decider = {
    machine: { tags, gcBlacklist: new Set() },
    record(some) {
      for (const event of some) {
        tags.handle(event);
        events.push(event);
        longest = Math.max(longest, JSON.stringify(event).length);
      }
    },
    committed: () => new Promise((resolve) => setImmediate(resolve)),
    assured: async () => undefined,
    assertRoom: () => undefined,
  };
  return { service: new TagService({ decider, now: () => 5_000, delayMs }), tags, events, longest: () => longest };
}

function urlsOf(tags: Tags, name: string): string[] {
  return [...(tags.tag(name)?.urls.lines() ?? [])];
}

describe("tags as a service", () => {
  it("give each change a version of its own, also within a millisecond", async () => {
    const { service, tags } = stand();
    const first = await service.link("t", [["raw://a"]]);
    const second = await service.link("t", [["raw://b", "raw://b2"], ["tag://x"]]);
    assert.notEqual(first, second);
    assert.deepEqual(urlsOf(tags, "t"), ["raw://b\traw://b2", "tag://x", "raw://a"]);
    await service.put("t", [["raw://c"]]);
    assert.deepEqual(urlsOf(tags, "t"), ["raw://c"]);
    await service.delete("t");
    await service.delete("t");
    await assert.rejects(service.tag("t"), { code: "unknown-tag" });
  });

  it("are replaced and deleted only in the version that was read, where it is said", async () => {
    const { service, tags } = stand();
    const ifId = await service.link("t", [["raw://a"]]);
    void service.link("t", [["raw://b"]], { delayed: true });
    await assert.rejects(service.put("t", [], { ifId }), { code: "tag-changed", url: "tag://t" });
    await assert.rejects(service.delete("t", { ifId }), { code: "tag-changed" });
    const many = Array.from({ length: 20_000 }, (_, i) => [`raw://${i}`]);
    const slow = service.put("t", many, { ifId: tags.tag("t")?.id });
    await service.link("t", [["raw://c"]]);
    await assert.rejects(slow, { code: "tag-changed" });
    assert.deepEqual(urlsOf(tags, "t"), ["raw://c", "raw://b", "raw://a"]);
    await service.put("t", [["raw://d"]], { ifId: tags.tag("t")?.id });
    await service.delete("t", { ifId: tags.tag("t")?.id });
    await assert.rejects(service.put("t", [], { ifId }), { code: "tag-changed" });
    assert.deepEqual(tags.names(), []);
  });

  it("lose nothing of what two clients add a thousand times each, delayed or not", async () => {
    const { service, tags } = stand();
    await service.link("t", []);
    const client = async (who: string, delayed: boolean): Promise<void> => {
      for (let i = 0; i < 1_000; i += 10)
        await Promise.all(
          Array.from({ length: 10 }, (_, j) => service.link("t", [[`raw://${who}${i + j}`]], { delayed })),
        );
    };
    await Promise.all([client("a", false), client("b", false), client("c", true)]);
    assert.equal(new Set(urlsOf(tags, "t")).size, 3_000);
    assert.equal(tags.tag("t")?.urls.count, 3_000);
  });

  it("record a list of any length in parts that fit into records", async () => {
    const { service, tags, longest } = stand();
    const urls = Array.from({ length: 20_000 }, (_, i) => [
      `disco://n/ddfs/vol0/blob/0a/chunk$00-00-${i.toString(16)}`,
    ]);
    await service.link("t", urls);
    assert.deepEqual([...(tags.tag("t")?.urls.sets() ?? [])], urls);
    assert.ok(longest() < 256 * 1024);
    await service.link("t", urls.slice(0, 15_000), { update: true });
    assert.equal(tags.tag("t")?.urls.count, 20_000);
  });

  it("are protected by the token that made them, and by those that are set", async () => {
    const { service } = stand();
    await service.link("t", [["raw://a"]], { token: "secret" });
    await assert.rejects(service.tag("t"), { code: "tag-unauthorized" });
    await assert.rejects(service.tag("t", { token: "wrong" }), { code: "tag-unauthorized" });
    await assert.rejects(service.delete("t"), { code: "tag-unauthorized" });
    assert.equal((await service.tag("t", { token: "secret" })).urls.count, 1);
    assert.equal((await service.tag("t", { master: true })).urls.count, 1);
    await service.setAttribute("t", "ddfs:write-token", "w", { token: "secret" });
    await assert.rejects(service.link("t", [], { token: "secret" }), { code: "tag-unauthorized" });
    assert.equal(await service.attribute("t", "ddfs:read-token", { token: "w" }), "secret");
    await assert.rejects(service.attribute("t", "ddfs:write-token", { token: "secret" }), { code: "tag-unauthorized" });
    await service.deleteAttribute("t", "ddfs:read-token", { token: "w" });
    assert.equal((await service.tag("t", { token: "any" })).urls.count, 1);
  });

  it("may have the empty token, which has to be shown", async () => {
    const { service } = stand();
    await service.link("t", [["raw://a"]]);
    await service.setAttribute("t", "ddfs:read-token", "");
    await assert.rejects(service.tag("t"), { code: "tag-unauthorized" });
    assert.equal((await service.tag("t", { token: "" })).urls.count, 1);
  });

  it("keep their version when nothing is added", async () => {
    const { service } = stand();
    await service.link("t", []);
    const { id: empty } = await service.tag("t");
    const id = await service.link("t", [["disco://a/ddfs/vol0/blob/00/dup$1-1-1"]]);
    assert.notEqual(id, empty, "it was made, and changed");
    assert.equal(await service.link("t", []), id);
    assert.equal(await service.link("t", [["disco://a/ddfs/vol0/blob/00/dup$2-1-1"]], { update: true }), id);
    assert.equal((await service.tag("t")).urls.count, 1);
    assert.notEqual(await service.put("t", [["raw://b"]]), id);
  });

  it("have attributes, within Disco's limits", async () => {
    const { service } = stand();
    await service.setAttribute("t", "owner", { name: "x" });
    assert.deepEqual(await service.attribute("t", "owner"), { name: "x" });
    await assert.rejects(service.attribute("t", "other"), { code: "unknown-attribute" });
    for (const [name, value] of [
      ["", 1],
      ["ddfs:other", 1],
      ["x".repeat(1_025), 1],
      ["long", "x".repeat(4_096)],
      ["none", undefined],
      ["ddfs:read-token", 5],
    ] as const)
      await assert.rejects(service.setAttribute("t", name, value), { code: "bad-attribute" });
    for (let i = 1; i < 1_000; i++) await service.setAttribute("t", `a${i}`, i);
    await assert.rejects(service.setAttribute("t", "one-more", 1), { code: "bad-attribute" });
    await service.setAttribute("t", "a5", "other");
    await service.deleteAttribute("t", "owner");
    const { id } = await service.tag("t");
    await service.deleteAttribute("t", "owner");
    assert.equal((await service.tag("t")).id, id, "it was gone already");
    await service.setAttribute("t", "one-more", 1);
  });

  it("refuse bad names and bad lists before anything is recorded", async () => {
    const { service, events } = stand();
    for (const name of ["", "a/b", "../x", "a b", "%2e%2e", "a$b", "x".repeat(512)])
      await assert.rejects(service.link(name, []), { code: "bad-name" });
    for (const urls of [
      null,
      "x",
      [5],
      [[]],
      [[""]],
      [["a b"]],
      [["a\tb"]],
      [["a\nb"]],
      [["tag://a/b/c"]],
      [["disco://h/ddfs/vol0/blob/../x"]],
    ])
      await assert.rejects(service.link("t", urls), { code: "bad-url" });
    assert.deepEqual(events, []);
  });

  it("carry a request out once that comes again with its key, also to the next master", async () => {
    const { service, tags, events } = stand();
    await service.link("t", [["raw://a"]], { key: "k1" });
    const twice = [1, 2].map(() => service.link("t", [["raw://b"]], { key: "k2", delayed: true }));
    await Promise.all(twice);
    const many = Array.from({ length: 20_000 }, (_, i) => [`raw://${i}`]);
    await Promise.all([1, 2].map(() => service.link("t", many, { key: "k3" })));
    assert.equal(urlsOf(tags, "t").length, 20_002);
    const next = Tags.restore(JSON.parse(JSON.stringify(tags.save())) as ReturnType<Tags["save"]>);
    const decider: Decider = {
      machine: { tags: next, gcBlacklist: new Set() },
      record: () => assert.fail("it is done already"),
      committed: async () => undefined,
      assured: async () => undefined,
      assertRoom: () => undefined,
    };
    const after = new TagService({ decider, now: () => 9_000 });
    for (const key of ["k1", "k2", "k3"]) await after.link("t", [["raw://again"]], { key });
    assert.equal(events.filter(({ kind }) => kind === "tag-changed").length, 3);
  });

  it("record a thousand delayed updates as one, and refuse only the one that names what is being deleted", async () => {
    const { service, tags, events } = stand();
    await service.link("t", []);
    const dead = "disco://a/ddfs/vol0/blob/00/x$00-1-1";
    const updates = Array.from({ length: 1_000 }, (_, i) => service.link("t", [[`raw://${i}`]], { delayed: true }));
    const refused = service.link("t", [[dead]], { delayed: true });
    tags.handle({ kind: "gc-started", at: 1, gc: 1 });
    tags.handle({ kind: "blobs-condemned", at: 1, gc: 1, objects: ["x$00-1-1"] });
    await assert.rejects(refused, { code: "blob-condemned" });
    await Promise.all(updates);
    assert.equal(urlsOf(tags, "t").length, 1_000);
    assert.equal(urlsOf(tags, "t")[0], "raw://999");
    assert.equal(events.filter(({ kind }) => kind === "tag-changed").length, 2);
  });

  it("drop the parts of a long list that is refused in the end", async () => {
    const { service, tags } = stand();
    const ifId = await service.link("t", [["raw://a"]]);
    const many = Array.from({ length: 20_000 }, (_, i) => [`raw://${i}`]);
    const refused = assert.rejects(service.put("t", many, { ifId }), { code: "tag-changed" });
    await service.link("t", [["raw://b"]]);
    await refused;
    assert.deepEqual([...tags.staged()], []);
    assert.deepEqual(urlsOf(tags, "t"), ["raw://b", "raw://a"]);
  });
});
