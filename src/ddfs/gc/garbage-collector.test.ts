import assert from "node:assert/strict";
import { afterEach, describe, it, mock } from "node:test";
import { toJsonBytes } from "../../bus/json.ts";
import { FakeCluster, graceMs } from "./cluster.test-kit.ts";
import { GarbageCollector, type GarbageParts } from "./garbage-collector.ts";

const collectors: GarbageCollector[] = [];

function open(cluster: FakeCluster, more: Partial<GarbageParts> = {}): GarbageCollector {
  const collector = new GarbageCollector({
    decider: cluster.decider,
    bus: cluster.bus,
    instance: "m",
    epoch: () => cluster.epoch,
    nodes: { spaces: cluster.spaces, stat: cluster.stat },
    replicas: () => 2,
    reserveBytes: 0,
    graceMs,
    intervalMs: null,
    now: cluster.now,
    ...more,
  });
  collectors.push(collector);
  return collector;
}

/** Lets everything happen that needs no timer. */
async function settled(done: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !done(); i++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(done(), "it comes to an end");
}

async function ended(collector: GarbageCollector): Promise<void> {
  for (let i = 0; i < 2_000 && (await collector.gcStatus()).phase !== null; i++)
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await collector.gcStatus()).phase, null);
}

describe("the collector", () => {
  afterEach(async () => {
    mock.timers.reset();
    for (const collector of collectors.splice(0)) await collector.close();
  });

  it("runs once at a time, says how far it is, and what came of it (fault 62)", async () => {
    const cluster = new FakeCluster(["a", "b"]);
    cluster.link("t", [cluster.node("a").keep(cluster.old("x"))]);
    const held = Promise.withResolvers<void>();
    cluster.before = () => held.promise;
    const collector = open(cluster);
    assert.equal(await collector.gcStats(), null);
    await collector.gcStart();
    await assert.rejects(collector.gcStart(), { code: "gc-running" });
    await settled(() => cluster.node("a").asked.length > 0);
    assert.deepEqual(await collector.gcStatus(), { phase: "listing", gc: 1, done: 0, total: 2, notes: [] });
    held.resolve();
    await ended(collector);
    assert.equal((await collector.gcStats())?.stats.replicated, 1);
    await collector.gcStart();
    await ended(collector);
    assert.equal(cluster.tags.lastGc?.gc, 2);
  });

  it("does not begin where the master cannot record", async () => {
    const cluster = new FakeCluster(["a"]);
    cluster.leads = false;
    const collector = open(cluster);
    await assert.rejects(collector.gcStart(), { code: "not-leading" });
    assert.equal((await collector.gcStatus()).phase, null);
  });

  it("empties a node in as many runs as it takes, and says when it may go", async () => {
    const cluster = new FakeCluster(["a", "b", "c"]);
    cluster.link(
      "t",
      ["a", "b"].map((host) => cluster.node(host).keep(cluster.old("x"))),
    );
    cluster.gcBlacklist.add("a");
    const collector = open(cluster);
    await collector.gcStart();
    await settled(() => cluster.tags.lastGc?.gc === 2);
    assert.deepEqual(await collector.safeGcBlacklist(), ["a"]);
    // Something was put there while it was off the list for a while.
    cluster.link("u", [cluster.node("a").keep(cluster.old("y"))]);
    assert.deepEqual(await collector.safeGcBlacklist(), []);
  });

  it("copies what a node had that is away for minutes, once", async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    const cluster = new FakeCluster(["a", "b", "c"]);
    cluster.link(
      "t",
      ["a", "b"].map((host) => cluster.node(host).keep(cluster.old("x"))),
    );
    open(cluster, { lostAfterMs: 10_000 });
    const pass = async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= 1_000) {
        cluster.time += 1_000;
        mock.timers.tick(1_000);
        for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    cluster.node("b").isUp = false;
    await pass(9_000);
    assert.equal(cluster.tags.gc, 0);
    await pass(5_000);
    await settled(() => cluster.tags.lastGc?.gc === 1);
    assert.equal(cluster.node("c").files.size, 1);
    await pass(60_000);
    assert.equal(cluster.tags.gc, 1);
  });

  it("collects at its interval, and has nodes read their blobs at theirs", async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    const cluster = new FakeCluster(["a"]);
    open(cluster, { intervalMs: 200_000, scrubIntervalMs: 300_000 });
    for (let i = 0; i < 40; i++) {
      cluster.time += 30_000;
      mock.timers.tick(30_000);
      for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok([5, 6].includes(cluster.tags.gc), `${cluster.tags.gc} runs in 20 minutes`);
    assert.ok(cluster.node("a").scrubs >= 1);
  });

  it("mends a damaged replica from another one, and says so when there is none (fault 54)", async () => {
    const cluster = new FakeCluster(["a", "b", "c"]);
    const object = cluster.old("x");
    cluster.link(
      "t",
      ["a", "b"].map((host) => cluster.node(host).keep(object)),
    );
    cluster.link("alone", [cluster.urls("t")[0]?.[0] ?? ""]);
    const collector = open(cluster);
    const damage = async (host: string): Promise<void> => {
      cluster.node(host).files.delete(`vol0/${object}`);
      await cluster.bus.request(
        `master.m.ddfs-damaged.${host}`,
        toJsonBytes({ object, volume: "vol0", found: "scrub" }),
        1_000,
      );
    };
    const hosts = (tag = "t"): string[] => (cluster.urls(tag)[0] ?? []).map((url) => new URL(url).host).sort();
    await damage("a");
    while (collector.counts.mended < 1) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(hosts(), ["b", "c"]);
    // Also the tag that mentioned nothing but the damaged one.
    assert.deepEqual(hosts("alone"), ["b", "c"]);
    assert.deepEqual(collector.alarms(), []);
    cluster.node("b").isUp = false;
    await damage("c");
    while (collector.alarms().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(collector.alarms()[0]?.code, "blobs-damaged");
    assert.deepEqual(hosts(), ["b", "c"]);
    assert.deepEqual(collector.counts, { damaged: 2, mended: 1 });
  });

  it("finds what is wrong, and changes nothing", async () => {
    const cluster = new FakeCluster(["a", "b"]);
    const [whole, half, gone, dead] = ["whole", "half", "gone", "dead"].map((name) => cluster.old(name)) as [
      string,
      string,
      string,
      string,
    ];
    cluster.link(
      "t",
      ["a", "b"].map((host) => cluster.node(host).keep(whole)),
    );
    cluster.link("t", [cluster.node("a").keep(half)], [`disco://a/ddfs/vol0/blob/00/${gone}`], ["tag://nowhere"]);
    cluster.node("b").keep(dead);
    cluster.node("b").damaged.push(half);
    const records = cluster.journal.length;
    const found = await Array.fromAsync(open(cluster).fsck());
    assert.deepEqual(
      found.map(({ kind, tag, object, replicas }) => [kind, tag, object, replicas]),
      [
        ["broken-link", "t", "nowhere", 0],
        ["lost", "t", gone, 0],
        ["under-replicated", "t", half, 1],
        ["orphan", null, dead, 1],
        ["damaged", null, half, 0],
      ],
    );
    assert.equal(cluster.journal.length, records);
    cluster.link("t", [`disco://elsewhere/ddfs/vol0/blob/00/${gone}`]);
    assert.ok(
      (await Array.fromAsync(open(cluster, { instance: "n" }).fsck())).some(({ kind }) => kind === "unknown-node"),
    );
  });

  it("tells of blobs that are lost", async () => {
    const cluster = new FakeCluster(["a"]);
    cluster.link("t", [`disco://a/ddfs/vol0/blob/00/${cluster.old("x")}`]);
    const collector = open(cluster);
    await collector.gcStart();
    await ended(collector);
    const [alarm] = collector.alarms();
    assert.deepEqual([alarm?.code, alarm?.message.includes(cluster.old("x"))], ["blobs-lost", true]);
  });
});
