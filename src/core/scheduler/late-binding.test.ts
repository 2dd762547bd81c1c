import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { restoreMaster, snapshotMaster } from "../snapshot.ts";
import type { Run } from "../testing.ts";
import { Bench, failure, joined } from "../testing.ts";
import { localWaitMs } from "./late-binding.ts";

const places = (bench: Bench): string[] => bench.runs.map(({ task, host }) => `${task}@${host}`).sort();
const first = (bench: Bench): Run => bench.runs[0] as Run;
const twoNodes = () => new Bench([joined("a", { slots: 2 }), joined("b", { slots: 1 })]);
const reasons = (bench: Bench, job: string) => bench.master.tasks(job)?.tasks.map(({ waits }) => waits);

describe("a task whose input lies on a busy node", () => {
  it("waits for a slot there although another node has room, and says so", () => {
    const bench = twoNodes();
    const job = bench.submit({ inputs: 2, hosts: ["b"] });
    assert.deepEqual(places(bench), ["0@b"]);
    const why = "waits up to 3 s for a slot on b, which holds its input";
    assert.deepEqual(bench.master.reasons(job), [why]);
    assert.deepEqual(reasons(bench, job), [null, why]);
    bench.done(first(bench));
    assert.deepEqual(places(bench), ["1@b"]);
  });

  it("runs anywhere once it waited long enough, and so do the others of its stage", () => {
    const bench = twoNodes();
    bench.submit({ inputs: 4, hosts: ["b"] });
    const since = bench.at;
    bench.pass(localWaitMs - 10);
    assert.deepEqual(places(bench), ["0@b"]);
    assert.equal(bench.master.timers()[0]?.at, since + localWaitMs);
    bench.wake();
    assert.deepEqual(places(bench), ["0@b", "1@a", "2@a"]);
    bench.done(bench.runs.find(({ host }) => host === "a") as Run);
    assert.deepEqual(places(bench), ["0@b", "2@a", "3@a"]);
  });

  it("does not wait longer when nobody tells that the time is over but the next event", () => {
    const bench = twoNodes();
    bench.submit({ inputs: 2, hosts: ["b"] });
    bench.pass(localWaitMs);
    assert.deepEqual(places(bench), ["0@b", "1@a"]);
  });

  it("does not wait for nodes that are lost, blacklisted, without slots, without the job's labels, or unknown", () => {
    const labels = { gpu: "1" };
    const useless = (make: (bench: Bench) => void, job: Parameters<Bench["submit"]>[0] = {}): string[] => {
      const bench = new Bench([joined("a", { labels }), joined("b", { slots: 1 })]);
      make(bench);
      bench.submit({ inputs: 1, hosts: ["b"], ...job });
      return places(bench);
    };
    assert.deepEqual(
      useless((bench) => bench.handle({ kind: "node-lost", at: 1, host: "b", reason: "silence" })),
      ["0@a"],
    );
    assert.deepEqual(
      useless((bench) => bench.handle({ kind: "node-blacklisted", at: 1, host: "b" })),
      ["0@a"],
    );
    assert.deepEqual(
      useless((bench) => bench.handle({ kind: "config-saved", at: 1, table: [["b", 0]] })),
      ["0@a"],
    );
    assert.deepEqual(
      useless(() => undefined, { labels }),
      ["0@a"],
    );
    assert.deepEqual(
      useless(() => undefined, { hosts: ["nowhere"] }),
      ["0@a"],
    );
  });

  it("stops waiting for a node that is lost meanwhile", () => {
    const bench = twoNodes();
    bench.submit({ inputs: 2, hosts: ["b"] });
    bench.runs = [];
    bench.handle({ kind: "node-lost", at: bench.at, host: "b", reason: "silence" });
    assert.deepEqual(places(bench), ["0@a", "1@a"]);
  });

  it("does not keep tasks whose input is nobody's, nor one that failed there", () => {
    const bench = twoNodes();
    bench.submit({ inputs: 3, hosts: ["b", null, "b"] });
    assert.deepEqual(places(bench), ["0@b", "1@a"]);
    bench.fail(bench.runs.find(({ task }) => task === 0) as Run, failure("data-error", "the disk creaks", "elsewhere"));
    assert.deepEqual(places(bench), ["0@a", "1@a", "2@b"]);
  });

  it("waits no longer in all because its master was started anew", () => {
    const bench = twoNodes();
    bench.submit({ inputs: 2, hosts: ["b"] });
    const pending = bench.master.timers();
    const restored = restoreMaster(JSON.parse(JSON.stringify(snapshotMaster(bench.master))));
    assert.deepEqual(restored.timers(), pending);
    const [timer] = pending;
    assert.ok(timer !== undefined && timer.at <= bench.at + localWaitMs);
    assert.equal(restored.schedule(timer.at - 1), null);
    assert.deepEqual(
      restored.schedule(timer.at)?.event.tasks.map(({ host }) => host),
      ["a"],
    );
  });

  it("of one job does not keep another job's tasks from the free slot", () => {
    const bench = twoNodes();
    bench.submit({ inputs: 2, hosts: ["b"] });
    const other = bench.submit({ inputs: 2 });
    assert.deepEqual(
      bench.runs.filter(({ job }) => job === other).map(({ host }) => host),
      ["a", "a"],
    );
  });

  it("is one of many: a slot is kept from so many jobs only, and the next takes it", () => {
    const bench = new Bench([joined("a", { slots: 1 }), joined("b", { slots: 1 })]);
    for (let n = 0; n < 40; n++) bench.submit({ inputs: 1, hosts: ["b"] });
    assert.deepEqual(places(bench), ["0@a", "0@b"]);
  });
});
