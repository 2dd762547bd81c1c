import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MasterMachine } from "./master.ts";
import type { MasterSnapshot } from "./snapshot.ts";
import { restoreMaster, snapshotMaster } from "./snapshot.ts";
import { Bench, joined, outputOf } from "./testing.ts";

const config = (bench: Bench, table: readonly (readonly [string, number])[]) =>
  bench.handle({ kind: "config-saved", at: bench.at, table });
const slots = (bench: Bench, host: string) => bench.master.cluster.node(host)?.slots;

describe("the configuration table", () => {
  it("overrides what a node offers, at once, and tells the node", () => {
    const bench = new Bench([joined("a", { slots: 1 })]);
    bench.submit({ inputs: 9 });
    const commands = config(bench, [["a", 3]]);
    assert.deepEqual(
      commands.filter(({ kind }) => kind === "resize-node"),
      [{ kind: "resize-node", host: "a", slots: 3 }],
    );
    assert.equal(bench.runs.length, 3);
    assert.deepEqual(bench.master.configTable(), [["a", "3"]]);
  });

  it("counts for nodes that join later, join again or change their offer", () => {
    const bench = new Bench([]);
    config(bench, [["a", 3]]);
    const told = bench.handle(joined("a", { slots: 1 }));
    assert.deepEqual(told, [{ kind: "resize-node", host: "a", slots: 3 }]);
    bench.handle({ kind: "node-lost", at: bench.at, host: "a", reason: "silence" });
    assert.deepEqual(bench.handle(joined("a", { slots: 5 })), [{ kind: "resize-node", host: "a", slots: 3 }]);
    bench.handle({ kind: "node-updated", at: bench.at, host: "a", slots: 7 });
    assert.equal(slots(bench, "a"), 3);
    assert.deepEqual(config(bench, []), [{ kind: "resize-node", host: "a", slots: 7 }]);
    assert.equal(slots(bench, "a"), 7);
  });

  it("is told again to a node that joins again: it may not have heard that its number is its own once more", () => {
    const bench = new Bench();
    config(bench, [["a", 0]]);
    config(bench, []);
    const next = restoreMaster(JSON.parse(JSON.stringify(snapshotMaster(bench.master))));
    assert.deepEqual(next.handle(joined("a")), [{ kind: "resize-node", host: "a", slots: 2 }]);
    assert.deepEqual(next.handle(joined("b")), [], "and to no other");
  });

  it("may give a node no slots: tasks wait and say why, until it gets some", () => {
    const bench = new Bench();
    config(bench, [["a", 0]]);
    const job = bench.submit({ inputs: 1 });
    assert.deepEqual(bench.runs, []);
    assert.deepEqual(bench.master.reasons(job), ["the nodes' configuration gives them no slots"]);
    config(bench, [["a", 1]]);
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("sends tasks elsewhere whose queue place is handed back as its node has no slots any more", () => {
    const bench = new Bench([joined("a", { slots: 1, queueDepth: 3 }), joined("b", { slots: 1 })]);
    const job = bench.submit({ inputs: 3, pipeline: ["split"] });
    config(bench, [["a", 0]]);
    for (const run of bench.runs.filter(({ host }) => host === "a").slice(1)) bench.lose(run);
    for (const run of [...bench.runs]) bench.done(run);
    assert.deepEqual(
      bench.runs.map(({ host }) => host),
      ["b"],
    );
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });
});

describe("what an operator decided", () => {
  const decided = (): Bench => {
    const bench = new Bench([joined("a", { slots: 1 })]);
    const { at } = bench;
    bench.handle({ kind: "settings-saved", at, changes: { acceptNewJobs: false } });
    bench.handle({ kind: "settings-saved", at, changes: { maxFailureRate: 7 } });
    config(bench, [
      ["b", 2],
      ["a", 4],
    ]);
    for (const host of ["y", "x", "z"]) bench.handle({ kind: "gc-blacklisted", at, host });
    bench.handle({ kind: "gc-whitelisted", at, host: "y" });
    bench.handle({ kind: "node-blacklisted", at, host: "b" });
    return bench;
  };
  const check = (master: MasterMachine): void => {
    assert.deepEqual(master.settings, { acceptNewJobs: false, maxFailureRate: 7 });
    assert.deepEqual(master.configTable(), [
      ["b", "2"],
      ["a", "4"],
    ]);
    assert.deepEqual([...master.gcBlacklist].sort(), ["x", "z"]);
    assert.deepEqual([...master.cluster.blacklist], ["b"]);
    assert.equal(master.cluster.node("a")?.slots, 4);
    assert.equal(master.cluster.slots, 4);
  };

  it("is known to the next master, from the journal and from a snapshot", () => {
    const bench = decided();
    check(bench.master);
    const replayed = new MasterMachine();
    for (const event of bench.events) replayed.handle(event);
    check(replayed);
    check(restoreMaster(JSON.parse(JSON.stringify(snapshotMaster(bench.master)))));
  });

  it("is the default until somebody decides", () => {
    const master = new MasterMachine();
    assert.deepEqual(master.settings, { maxFailureRate: 100, acceptNewJobs: true });
    assert.deepEqual(master.configTable(), []);
  });
});

describe("a snapshot of version 1", () => {
  it("is still read: what it does not say is the default", () => {
    const bench = new Bench();
    const job = bench.submit({ inputs: 3 });
    bench.done(bench.runs[0] as never);
    const { gcBlacklist, settings, config: table, ...rest } = snapshotMaster(bench.master);
    assert.ok(gcBlacklist !== undefined && settings !== undefined && table !== undefined);
    const text = JSON.stringify({ ...rest, version: 1 }, (key, value) => {
      if (key === "outputs") return [[0, outputOf("a", 0)]];
      return ["offered", "resized", "lines", "heldUntil", "durations", "startedAgain"].includes(key)
        ? undefined
        : value;
    });
    const master = restoreMaster(JSON.parse(text) as MasterSnapshot);
    assert.deepEqual(master.jobs.get(job)?.stages[0]?.outputs.ref(0), bench.job(job).stages[0]?.outputs.ref(0));
    assert.equal(master.cluster.node("a")?.offered, 2);
    assert.deepEqual(master.info(job), bench.master.info(job));
    assert.deepEqual(master.settings, bench.master.settings);
  });
});
