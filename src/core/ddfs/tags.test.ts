import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { DdfsEvent, TagChange } from "./events.ts";
import { blobNameOf, isName, objectOf, parseBlobAddress, partsOfObject, tagOf } from "./names.ts";
import { Tags } from "./tags.ts";

const stats = {
  blobsKept: [0, 0],
  blobsDeleted: [0, 0],
  tagsKept: [0, 0],
  tagsDeleted: [0, 0],
  replicated: 0,
  lost: 0,
} as const;

function replica(object: string, host = "n1"): string {
  return `disco://${host}/ddfs/vol0/blob/0a/${object}`;
}

function change(tags: Tags, tag: string, what: TagChange, at = 1): void {
  tags.handle({ kind: "tag-changed", at, tag, id: objectOf(tag, at * 1000), change: what });
}

function sets(tags: Tags, name: string): string[][] {
  return [...(tags.tag(name)?.urls.sets() ?? [])];
}

describe("names of DDFS", () => {
  it("give back what an object was made of, as Disco writes it", () => {
    assert.equal(objectOf("data", 0), "data$00-00-00");
    assert.equal(objectOf("data", (0x703 * 1e6 + 0x54adf) * 1e6 + 0xca24d), "data$703-54adf-ca24d");
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_\-@:]{1,20}$/), fc.integer({ min: 0, max: 4e15 }), (name, micros) => {
        assert.deepEqual(partsOfObject(objectOf(name, micros)), { name, micros });
      }),
    );
  });

  it("are letters, digits, _ - @ : alone, 511 at most", () => {
    for (const name of ["a", "disco:job:oob:wc@5f2:1a3:0", "x".repeat(511)]) assert.ok(isName(name), name);
    for (const name of ["", "a/b", "..", "a b", "a$b", "é", "a\n", "x".repeat(512), "%2e"])
      assert.ok(!isName(name), name);
  });

  it("lie in addresses of replicas and tags, and nowhere else", () => {
    const object = objectOf("blob", 5_000_000);
    assert.deepEqual(parseBlobAddress(replica(object)), { host: "n1", volume: "vol0", object });
    for (const url of [`http://n1/ddfs/vol0/blob/0a/${object}`, `disco://n1/ddfs/vol0/blob/0a/../${object}`, "raw://x"])
      assert.equal(parseBlobAddress(url), null);
    assert.equal(tagOf("tag://a:b"), "a:b");
    assert.equal(tagOf("tag://host/a"), "a");
    assert.equal(tagOf("tag://a/b/c"), null);
    assert.equal(blobNameOf(replica(object)), "blob");
  });
});

describe("tags", () => {
  it("put new lines before the old ones, in the order in which they came", () => {
    const tags = new Tags();
    change(tags, "t", { kind: "link", urls: "u1\tu1b\nu2" });
    change(tags, "t", { kind: "link", urls: "u3\nu4" }, 2);
    assert.deepEqual(sets(tags, "t"), [["u3"], ["u4"], ["u1", "u1b"], ["u2"]]);
    assert.equal(tags.tag("t")?.id, objectOf("t", 2000));
    change(tags, "t", { kind: "put", urls: "" }, 3);
    assert.deepEqual(sets(tags, "t"), []);
  });

  it("leave out blobs whose name they have, where that is asked for", () => {
    const tags = new Tags();
    change(tags, "t", { kind: "link", urls: `${replica("a$00-0-1")}\n${replica("b$00-0-1")}` });
    change(tags, "t", {
      kind: "link",
      urls: `${replica("a$00-0-2")}\n${replica("c$00-0-2")}\n${replica("c$00-0-3")}`,
      dedupe: true,
    });
    assert.deepEqual(sets(tags, "t").flat().map(blobNameOf), ["c", "a", "b"]);
    change(tags, "t", { kind: "link", urls: replica("d$00-0-1") });
    change(tags, "t", { kind: "link", urls: replica("d$00-0-2"), dedupe: true });
    assert.equal(tags.tag("t")?.urls.count, 4);
  });

  it("show a list that came in parts whole or not at all, also when the master changes in between", () => {
    const tags = new Tags();
    for (const urls of ["u1\nu2", "u3"]) tags.handle({ kind: "urls-staged", at: 1, update: "x", urls });
    assert.deepEqual(sets(tags, "t"), []);
    change(tags, "t", { kind: "link", urls: "u4", staged: "x" });
    assert.deepEqual(sets(tags, "t").flat(), ["u1", "u2", "u3", "u4"]);
    tags.handle({ kind: "urls-staged", at: 1, update: "y", urls: "u5" });
    tags.masterStarted();
    assert.throws(() => change(tags, "t", { kind: "link", urls: "u6", staged: "y" }), { code: "no-parts" });
    assert.equal(tags.tag("t")?.urls.count, 4);
  });

  it("refuse a blob that is being deleted, and nothing of that change is seen", () => {
    const tags = new Tags();
    tags.handle({ kind: "gc-started", at: 1, gc: 1 });
    tags.handle({ kind: "blobs-condemned", at: 1, gc: 1, objects: ["a$00-0-1"] });
    assert.throws(() => change(tags, "t", { kind: "link", urls: `u\n${replica("a$00-0-1")}` }), {
      code: "blob-condemned",
    });
    assert.equal(tags.tag("t"), undefined);
    tags.handle({ kind: "blobs-gone", at: 2, objects: ["a$00-0-1"] });
    change(tags, "t", { kind: "link", urls: replica("a$00-0-1") });
    assert.equal(tags.tag("t")?.urls.count, 1);
  });

  it("say what was named since somebody began to read them, in tags and in parts of updates", () => {
    const tags = new Tags();
    change(tags, "t", { kind: "link", urls: replica("a$00-0-1") });
    const watch = tags.watch();
    change(tags, "t", { kind: "link", urls: `http://x\t${replica("b$00-0-1")}` });
    tags.handle({ kind: "urls-staged", at: 1, update: "u", urls: replica("c$00-0-1") });
    change(tags, "t", { kind: "set-attribute", name: "n", value: 1 });
    watch.end();
    change(tags, "t", { kind: "put", urls: replica("d$00-0-1") });
    assert.deepEqual(
      ["a", "b", "c", "d"].map((name) => watch.has(`${name}$00-0-1`)),
      [false, true, true, false],
    );
    assert.deepEqual([...tags.staged()], [replica("c$00-0-1")]);
  });

  it("refuse a line that names a condemned blob behind another one", () => {
    const tags = new Tags();
    tags.handle({ kind: "gc-started", at: 1, gc: 1 });
    tags.handle({ kind: "blobs-condemned", at: 1, gc: 1, objects: ["a$00-0-1"] });
    const urls = `${replica("b$00-0-1")}\t${replica("a$00-0-1")}`;
    assert.throws(() => change(tags, "t", { kind: "link", urls }), { code: "blob-condemned" });
  });

  it("take no decision of a garbage collection that is over", () => {
    const tags = new Tags();
    tags.handle({ kind: "gc-started", at: 1, gc: 1 });
    tags.handle({ kind: "gc-started", at: 2, gc: 2 });
    assert.throws(() => tags.handle({ kind: "gc-started", at: 3, gc: 2 }), { code: "old-gc" });
    assert.throws(() => tags.handle({ kind: "blobs-condemned", at: 3, gc: 1, objects: ["a$00-0-1"] }), {
      code: "old-gc",
    });
    assert.throws(() => tags.handle({ kind: "gc-ended", at: 3, gc: 1, stats, safe: [] }), { code: "old-gc" });
    tags.handle({ kind: "gc-ended", at: 3, gc: 2, stats, safe: ["n1"] });
    assert.deepEqual(tags.lastGc?.safe, ["n1"]);
  });

  it("change replicas, and keep the last one of a blob", () => {
    const tags = new Tags();
    const [a, b] = [replica("a$00-0-1"), replica("a$00-0-1", "n2")];
    change(tags, "t", { kind: "link", urls: a });
    const act = (add: string[], drop: string[]): void =>
      tags.handle({ kind: "replicas-changed", at: 2, changes: [{ object: "a$00-0-1", add, drop }] });
    act([], [a]);
    assert.deepEqual(sets(tags, "t"), [[a]]);
    act([b, a], []);
    assert.deepEqual(sets(tags, "t"), [[a, b]]);
    act([], [a]);
    assert.deepEqual(sets(tags, "t"), [[b]]);
  });

  it("are the same after a snapshot, and do what a plain list does", () => {
    const name = fc.constantFrom("t", "u", "v:w");
    const line = fc
      .tuple(fc.constantFrom("a", "b", "c", "d"), fc.integer({ min: 1, max: 3 }), fc.boolean())
      .map(([blob, micros, both]) => {
        const object = objectOf(blob, micros);
        return both ? `${replica(object)}\t${replica(object, "n2")}` : replica(object);
      });
    const step = fc.oneof(
      fc.record({ do: fc.constantFrom("link", "dedupe", "put"), name, lines: fc.array(line, { maxLength: 4 }) }),
      fc.record({ do: fc.constant("delete"), name, lines: fc.constant<string[]>([]) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let tags = new Tags();
        const model = new Map<string, string[]>();
        for (const [i, { do: what, name: tag, lines }] of steps.entries()) {
          const event: DdfsEvent =
            what === "delete"
              ? { kind: "tag-deleted", at: i, tag }
              : {
                  kind: "tag-changed",
                  at: i,
                  tag,
                  id: objectOf(tag, i),
                  change:
                    what === "put"
                      ? { kind: "put", urls: lines.join("\n") }
                      : { kind: "link", urls: lines.join("\n"), dedupe: what === "dedupe" },
                };
          tags.handle(event);
          const before = model.get(tag) ?? [];
          if (what === "delete") model.delete(tag);
          else if (what === "put") model.set(tag, lines);
          else if (what === "link") model.set(tag, [...lines, ...before]);
          else {
            const known = new Set(before.map((one) => blobNameOf(one.split("\t")[0] ?? "")));
            const added = lines.filter((one) => {
              const called = blobNameOf(one.split("\t")[0] ?? "");
              return !known.has(called) && known.add(called);
            });
            model.set(tag, [...added, ...before]);
          }
          if (i % 3 === 0) tags = Tags.restore(JSON.parse(JSON.stringify(tags.save())));
        }
        assert.deepEqual(tags.names(), [...model.keys()].sort());
        for (const [tag, lines] of model) assert.deepEqual([...(tags.tag(tag)?.urls.lines() ?? [])], lines);
      }),
    );
  });

  it("cost what their characters cost: a million lines are added, counted and listed in seconds", () => {
    const tags = new Tags();
    for (let i = 0; i < 100_000; i++) change(tags, "t", { kind: "link", urls: replica(objectOf("chunk", i)) }, 1 + i);
    const rest = Array.from({ length: 900_000 }, (_, i) => replica(objectOf("chunk", 100_000 + i)));
    change(tags, "t", { kind: "link", urls: rest.join("\n") });
    assert.equal(tags.tag("t")?.urls.count, 1_000_000);
    assert.ok(tags.save().tags[0]?.urls.length ?? Number.POSITIVE_INFINITY < 300);
    assert.equal(sets(tags, "t").length, 1_000_000);
  });

  it("keeps parts that are staged in snapshots: the event that names them may come after one", () => {
    const tags = new Tags();
    tags.handle({ kind: "urls-staged", at: 1, update: "x", urls: "u1" });
    tags.handle({ kind: "urls-staged", at: 1, update: "gone", urls: "u9" });
    tags.handle({ kind: "urls-staged", at: 1, update: "gone", urls: "", dropped: true });
    const restored = Tags.restore(JSON.parse(JSON.stringify(tags.save())) as ReturnType<Tags["save"]>);
    assert.deepEqual([...restored.staged()], ["u1"]);
    change(restored, "t", { kind: "link", urls: "u2", staged: "x" });
    assert.deepEqual([...(restored.tag("t")?.urls.lines() ?? [])], ["u1", "u2"]);
  });

  it("finds what was condemned after a part was staged, and before", () => {
    for (const early of [true, false]) {
      const tags = new Tags();
      const condemn = (): void => {
        tags.handle({ kind: "gc-started", at: 1, gc: 1 });
        tags.handle({ kind: "blobs-condemned", at: 1, gc: 1, objects: ["b$00-0-1"] });
      };
      if (early) condemn();
      tags.handle({ kind: "urls-staged", at: 1, update: "x", urls: "disco://n/ddfs/vol0/blob/00/b$00-0-1" });
      if (!early) condemn();
      assert.throws(() => tags.assertStaged("x"), { code: "blob-condemned" });
      assert.throws(() => change(tags, "t", { kind: "link", urls: "", staged: "x" }), { code: "blob-condemned" });
      assert.equal(tags.tag("t"), undefined);
    }
  });
});
