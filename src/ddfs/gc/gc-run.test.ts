import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { objectOf } from "../../core/ddfs/names.ts";
import { Tags } from "../../core/ddfs/tags.ts";
import { FakeCluster, graceMs } from "./cluster.test-kit.ts";
import { type GcOutcome, GcRun } from "./gc-run.ts";
import { partsOf } from "./objects-in-tags.ts";

function runOf(cluster: FakeCluster, replicas = 2, signal = new AbortController().signal): GcRun {
  const run = new GcRun({
    decider: cluster.decider,
    calls: cluster.calls(),
    spaces: cluster.spaces,
    replicas: () => replicas,
    graceMs,
    reserveBytes: 0,
    now: cluster.now,
    signal,
  });
  run.begin();
  return run;
}

function collect(cluster: FakeCluster, replicas?: number): Promise<GcOutcome> {
  return runOf(cluster, replicas).run();
}

describe("a run of garbage collection", () => {
  it("deletes what no tag names, keeps the rest, and forgets what was deleted in the next run", async () => {
    const cluster = new FakeCluster(["a", "b", "c"]);
    const [dead, live, young] = [cluster.old("dead"), cluster.old("live"), objectOf("young", 999_990_000)];
    for (const host of ["a", "b"]) cluster.node(host).keep(dead);
    cluster.link(
      "t",
      ["a", "b"].map((host) => cluster.node(host).keep(live)),
    );
    for (let i = 0; i < 7; i++) cluster.node("c").keep(objectOf(`young${i}`, 999_990_000), 999_990);
    cluster.node("c").keep(young, 999_990);
    const { stats } = await collect(cluster);
    assert.deepEqual([stats.blobsDeleted, stats.blobsKept, stats.lost], [[2, 20], [2, 20], 0]);
    assert.deepEqual(
      cluster.nodes.map((node) => [node.has(dead), node.has(live), node.has(young)]),
      [
        [false, true, false],
        [false, true, false],
        [false, false, true],
      ],
    );
    assert.equal(cluster.tags.isCondemned(dead), true);
    await collect(cluster);
    assert.equal(cluster.tags.isCondemned(dead), false);
    assert.equal(cluster.tags.lastGc?.gc, 2);
  });

  it("deletes nothing while a node is away or has a volume that cannot be read, and says for whom it waits (fault 60)", async () => {
    const cluster = new FakeCluster(["a", "b"]);
    const dead = cluster.old("dead");
    cluster.node("a").keep(dead);
    cluster.node("b").isUp = false;
    assert.match((await collect(cluster)).notes.join(), /Nothing is deleted: b is away/);
    cluster.node("b").isUp = true;
    cluster.node("b").isHalf = true;
    assert.match((await collect(cluster)).notes.join(), /Nothing is deleted: a volume of b cannot be read/);
    assert.equal(cluster.node("a").has(dead), true);
    cluster.gcBlacklist.add("b");
    await collect(cluster);
    assert.equal(cluster.node("a").has(dead), false);
  });

  it("leaves each tag a replica that is there, also where tags mention different ones, and a node that is to be emptied", async () => {
    const cluster = new FakeCluster(["a", "b", "c"]);
    const [missing, moved] = [cluster.old("missing"), cluster.old("moved")];
    const [gone, there] = ["a", "b"].map((host) => cluster.node(host).keep(missing)) as [string, string];
    cluster.node("a").files.delete(`vol0/${missing}`);
    const [leaving, ...staying] = ["a", "b", "c"].map((host) => cluster.node(host).keep(moved)) as [
      string,
      string,
      string,
    ];
    // A copy of what the tag was like some time ago.
    cluster.link("before", [gone], [leaving]);
    cluster.link("now", [there], staying);
    cluster.gcBlacklist.add("a");
    await collect(cluster);
    const { safe } = await collect(cluster);
    assert.deepEqual(
      cluster.urls("before").map((set) => set.includes(gone) || set.includes(leaving)),
      [false, false],
    );
    assert.ok(cluster.urls("before")[0]?.includes(there));
    assert.deepEqual(cluster.urls("before")[1]?.toSorted(), staying.toSorted());
    assert.deepEqual(safe, ["a"]);
  });

  it("keeps a file that is too much while another one of the blob is told to be damaged", async () => {
    for (const isDamaged of [false, true]) {
      const cluster = new FakeCluster(["a"]);
      const object = cluster.old("twice");
      cluster.link("t", [cluster.node("a").keep(object)]);
      cluster.node("a").keep(object, 0, "vol1");
      const run = runOf(cluster, 1);
      cluster.before = (_host, what) => {
        if (isDamaged && what === "ddfs-list") run.damaged(object);
      };
      await run.run();
      assert.deepEqual([...cluster.node("a").files.keys()].length, isDamaged ? 2 : 1);
    }
  });

  it("lists in parts what is too much for memory, also when the tag that named it is gone", () => {
    const { tags, time } = new FakeCluster(["a"]);
    assert.deepEqual(partsOf(tags), [null]);
    tags.handle({ kind: "gc-started", at: time, gc: 1 });
    const none = [0, 0] as const;
    const stats = { blobsKept: [3_000_000, 0] as const, blobsDeleted: none, tagsKept: none, tagsDeleted: none };
    tags.handle({ kind: "gc-ended", at: time, gc: 1, stats: { ...stats, replicated: 0, lost: 0 }, safe: [] });
    const parts = partsOf(tags);
    assert.equal(parts.length, 4);
    assert.deepEqual(
      parts.map((part) => part?.from),
      [0, ...parts.slice(0, -1).map((part) => (part?.to ?? 0) + 1)],
    );
    assert.equal(parts.at(-1)?.to, 255);
  });

  it("keeps a blob that is named while nodes list theirs (fault 59)", async () => {
    const cluster = new FakeCluster(["a"]);
    const late = cluster.old("late");
    const url = cluster.node("a").keep(late);
    cluster.before = (_host, what) => {
      if (what === "ddfs-list") cluster.link("t", [url]);
    };
    await collect(cluster);
    assert.equal(cluster.node("a").has(late), true);
    assert.equal(cluster.tags.isCondemned(late), false);
  });

  it("records before it deletes, and refuses tags from then on", async () => {
    const cluster = new FakeCluster(["a"]);
    const dead = cluster.old("dead");
    const url = cluster.node("a").keep(dead);
    const seen: string[] = [];
    cluster.before = (_host, what) => {
      if (what !== "ddfs-delete") return;
      seen.push(...cluster.journal.map(({ kind }) => kind));
      assert.throws(() => cluster.link("t", [url]), { code: "blob-condemned" });
    };
    await collect(cluster);
    assert.deepEqual(seen, ["gc-started", "blobs-condemned"]);
    assert.equal(cluster.node("a").has(dead), false);
  });

  it("goes on after a master that ended at any message: what was condemned goes, what lives stays (fault 61)", async () => {
    for (let stop = 1; ; stop++) {
      const cluster = new FakeCluster(["a", "b", "c"]);
      const [dead, live] = [cluster.old("dead"), cluster.old("live")];
      cluster.node("a").keep(dead);
      cluster.link("t", [cluster.node("b").keep(live)]);
      const over = new AbortController();
      let messages = 0;
      cluster.before = () => {
        if (++messages === stop) {
          cluster.leads = false;
          over.abort(new Error("deposed"));
        }
      };
      const first = await runOf(cluster, 2, over.signal)
        .run()
        .catch((error: Error) => error.message);
      // The next one knows what is in the journal, and no more.
      cluster.tags = Tags.restore(cluster.tags.save());
      [cluster.leads, cluster.before, cluster.epoch] = [true, null, 2];
      await collect(cluster);
      assert.deepEqual(
        cluster.nodes.map((node) => node.has(dead)),
        [false, false, false],
      );
      assert.equal(cluster.urls("t")[0]?.length, 2, `stopped at message ${stop}`);
      if (first !== "deposed") break;
      assert.ok(stop < 50);
    }
  });

  it("goes no further when the journal was read anew", async () => {
    const cluster = new FakeCluster(["a"]);
    const dead = cluster.old("dead");
    cluster.node("a").keep(dead);
    cluster.before = () => {
      cluster.tags = Tags.restore(cluster.tags.save());
    };
    await assert.rejects(collect(cluster), { code: "gc-interrupted" });
    assert.equal(cluster.node("a").has(dead), true);
  });

  it("refuses what an earlier run still asks of a node that was listed since (fault 62)", async () => {
    const cluster = new FakeCluster(["a"]);
    const blobs = [{ object: cluster.old("x"), volume: "vol0" }];
    cluster.node("a").keep(cluster.old("x"));
    await cluster.calls().list("a", { gc: 3 });
    await assert.rejects(cluster.calls().delete("a", { gc: 2, graceMs, blobs }), /an old collection/);
  });

  it("makes missing replicas, the rarest first, and has tags mention them", async () => {
    const cluster = new FakeCluster(["a", "b", "c"]);
    const [one, two] = [cluster.old("one"), cluster.old("two")];
    cluster.link(
      "t",
      [cluster.node("a").keep(one)],
      ["a", "b"].map((host) => cluster.node(host).keep(two)),
    );
    cluster.link("u", [cluster.node("a").keep(one)]);
    cluster.node("c").failsCopies = 1;
    const { stats } = await collect(cluster, 3);
    assert.deepEqual([stats.replicated, stats.lost], [2, 0]);
    assert.deepEqual(cluster.urls("t").flat().length, 5);
    assert.deepEqual(cluster.urls("u"), [cluster.urls("t")[0]]);
    assert.equal((await collect(cluster, 3)).stats.replicated, 1);
    assert.deepEqual(
      cluster.nodes.map((node) => node.files.size),
      [2, 2, 2],
    );
  });

  it("lets no node make more than two copies at once", async () => {
    const cluster = new FakeCluster(["a", "b"]);
    for (let i = 0; i < 20; i++) cluster.link("t", [cluster.node("a").keep(cluster.old(`x${i}`))]);
    let [now, most] = [0, 0];
    cluster.before = async (_host, what) => {
      if (what !== "ddfs-copy") return;
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
    };
    assert.equal((await collect(cluster)).stats.replicated, 20);
    assert.equal(most, 2);
  });

  it("empties a node that is to be removed, and says when it is safe", async () => {
    const cluster = new FakeCluster(["a", "b", "c"]);
    cluster.link(
      "t",
      ["a", "b"].map((host) => cluster.node(host).keep(cluster.old("x"))),
    );
    cluster.gcBlacklist.add("a");
    const first = await collect(cluster);
    assert.deepEqual([first.safe, first.again], [[], true]);
    const second = await collect(cluster);
    assert.deepEqual([second.safe, second.again], [["a"], false]);
    assert.deepEqual(
      cluster
        .urls("t")[0]
        ?.map((url) => new URL(url).host)
        .sort(),
      ["b", "c"],
    );
  });

  it("waits for no node that is being removed and gone, and counts what only that one had as lost or needed", async () => {
    const cluster = new FakeCluster(["a", "b"]);
    cluster.link("t", [cluster.node("a").keep(cluster.old("x"))]);
    cluster.gcBlacklist.add("a");
    cluster.node("a").isUp = false;
    const { safe, stats } = await collect(cluster);
    assert.deepEqual([safe, stats.lost], [[], 0]);
    cluster.node("a").isUp = true;
    cluster.node("a").files.clear();
    assert.equal((await collect(cluster)).stats.lost, 1);
  });
});
