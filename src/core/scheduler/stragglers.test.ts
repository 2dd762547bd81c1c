import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MasterMachine } from "../master.ts";
import { snapshotMaster } from "../snapshot.ts";
import type { JobSketch, Run } from "../testing.ts";
import { Bench, failure, joined } from "../testing.ts";
import { slowAgeMinMs } from "./stragglers.ts";

const places = (bench: Bench): string[] => bench.runs.map(({ task, attempt, host }) => `${task}#${attempt}@${host}`);

/** All tasks but those named are done after `doneMs`; on two nodes with three slots each. */
function allBut(slow: readonly number[], sketch: JobSketch = {}, doneMs = 100): { bench: Bench; job: string } {
  const bench = new Bench([joined("a", { slots: 3 }), joined("b", { slots: 3 })]);
  const job = bench.submit({ inputs: 4, pipeline: ["split"], ...sketch });
  for (;;) {
    for (const run of bench.runs) bench.began(run);
    const run = bench.runs.find(({ task }) => !slow.includes(task));
    if (run === undefined) return { bench, job };
    bench.at += doneMs;
    bench.done(run);
  }
}

describe("a straggler", () => {
  it("gets a second attempt on another node, and the log says why", () => {
    const { bench, job } = allBut([3]);
    const [slow] = bench.runs as [Run];
    const other = slow.host === "a" ? "b" : "a";
    bench.pass(slowAgeMinMs);
    assert.deepEqual(places(bench), [`3#0@${slow.host}`, `3#1@${other}`]);
    assert.match(
      bench.log(job).at(-1) ?? "",
      /^s0:3 is slow \(it runs for 0:00:05\.\d+, and half of the 3 tasks that are done took 0:00:00\.\d+ or less\): started again on [ab]$/,
    );
    assert.deepEqual(
      bench.master.tasks(job, { status: "running" })?.tasks[0]?.attempts.map(({ speculative }) => speculative),
      [false, true],
    );
  });

  it("has one output: that of the attempt that is first; the other one is stopped", () => {
    const { bench, job } = allBut([3]);
    bench.pass(slowAgeMinMs);
    const [slow, second] = bench.runs as [Run, Run];
    const commands = bench.done(second, [0], "the second's");
    assert.deepEqual(
      commands.flatMap((one) => (one.kind === "stop-job" ? one.hosts : one.kind === "cancel" ? [one.host] : [])),
      [slow.host],
    );
    assert.deepEqual(bench.running(), []);
    assert.ok(bench.log(job).some((line) => line.includes(`the attempt on ${second.host} was first`)));
    assert.equal(bench.master.info(job)?.status, "ready");
    bench.done(slow, [0], "the first's");
    assert.deepEqual(bench.master.info(job)?.results.length, 4);
  });

  it("gets it on its own node where there is no other, unless the job's own worker may write the same files in both", () => {
    for (const [worker, attempts] of [
      [undefined, 2],
      [{ path: "bin/w", packVersion: 2 }, 1],
    ] as const) {
      const bench = new Bench([joined("a", { slots: 6 })]);
      bench.submit({ inputs: 4, pipeline: ["split"], ...(worker === undefined ? {} : { worker }) });
      for (const run of [...bench.runs]) bench.began(run);
      for (const run of [...bench.runs]) if (run.task !== 3) bench.done(run);
      bench.pass(slowAgeMinMs);
      assert.equal(bench.runs.length, attempts);
    }
  });

  it("is slow by the measure of its stage: three times the median", () => {
    const { bench } = allBut([3], {}, 10_000);
    // The tasks took 10, 20 and 30 s.
    bench.pass(25_000);
    assert.equal(bench.runs.length, 1);
    bench.pass(8_000);
    assert.equal(bench.runs.length, 2);
  });

  it("is let alone in its first seconds, while other tasks wait, and while too few are done", () => {
    const young = allBut([3]);
    young.bench.pass(slowAgeMinMs - 1_000);
    assert.equal(young.bench.runs.length, 1);
    const crowded = new Bench([joined("a", { slots: 1, queueDepth: 2 })]);
    crowded.submit({ inputs: 9, pipeline: ["split"] });
    for (let n = 0; n < 4; n++) crowded.done(crowded.runs[1] as Run);
    crowded.pass(60_000);
    assert.equal(crowded.runs.length, 2);
    const early = allBut([2, 3, 4, 5], { inputs: 6 });
    early.bench.pass(60_000);
    assert.equal(early.bench.runs.length, 4);
    const alone = new Bench([joined("a", { slots: 8 })]);
    alone.submit({ inputs: 1, pipeline: ["split"] });
    alone.pass(60_000_000);
    assert.equal(alone.runs.length, 1);
  });

  it("needs a slot that is free: a place in a queue is none", () => {
    const bench = new Bench([joined("a", { slots: 1, queueDepth: 8 })]);
    bench.submit({ inputs: 4, pipeline: ["split"] });
    for (let n = 0; n < 3; n++) bench.done(bench.runs[0] as Run);
    bench.pass(60_000);
    assert.deepEqual(places(bench), ["3#0@a"]);
    bench.handle({ kind: "node-updated", at: bench.at, host: "a", slots: 2 });
    bench.pass(1_000);
    assert.deepEqual(places(bench), ["3#0@a", "3#1@a"]);
  });

  it("gets one extra attempt, even if that fails", () => {
    const { bench } = allBut([3]);
    bench.pass(slowAgeMinMs);
    bench.fail(bench.runs[1] as Run, failure("worker-signal", "SIGKILL", "elsewhere"));
    bench.pass(60_000);
    assert.deepEqual(places(bench).length, 1);
  });

  it("is one of at most a tenth of a stage at a time, the slowest first", () => {
    const { bench } = allBut([5, 6, 7], { inputs: 20 });
    bench.pass(slowAgeMinMs);
    assert.deepEqual(
      bench.runs.filter(({ attempt }) => attempt === 1).map(({ task }) => task),
      [5, 6],
    );
    bench.done(bench.runs.find(({ task }) => task === 5) as Run);
    bench.pass(1_000);
    assert.deepEqual(
      bench.runs.filter(({ attempt }) => attempt === 1).map(({ task }) => task),
      [6, 7],
    );
  });

  it("gets nothing beyond max_cores, on nodes that the job may not use, or if the master starts no second attempts", () => {
    const full = allBut([3], { scheduler: { maxCores: 1 } });
    full.bench.pass(60_000);
    assert.equal(full.bench.runs.length, 1);
    const local = allBut([3], { hosts: ["a"], scheduler: { forceLocal: true } });
    local.bench.pass(60_000);
    assert.deepEqual(places(local.bench), ["3#0@a", "3#1@a"]);
    const never = new Bench(["a", "b"], { speculation: false });
    never.submit({ inputs: 4, pipeline: ["split"] });
    for (let n = 0; n < 3; n++) never.done(never.runs[0] as Run);
    never.pass(60_000);
    assert.equal(never.runs.length, 1);
  });

  it("is as old as its run: time in a node's queue does not count, nor in the measure of its stage", () => {
    const bench = new Bench([joined("a", { slots: 2, queueDepth: 32 })]);
    bench.submit({ inputs: 5, pipeline: ["split"] });
    // Two at a time, ten seconds each: the last one has waited for twenty when it begins.
    for (let n = 0; n < 4; n++) {
      bench.at += n % 2 === 0 ? 10_000 : 0;
      bench.done(bench.runs[0] as Run, [0], undefined, 10_000);
    }
    bench.pass(1_000);
    bench.began(bench.runs[0] as Run);
    bench.pass(25_000);
    assert.deepEqual(places(bench), ["4#0@a"]);
    bench.pass(6_000);
    assert.deepEqual(places(bench), ["4#0@a", "4#1@a"]);
  });

  it("is also one that never begins, when nothing of its stage has ended for so long", () => {
    const bench = new Bench([joined("a", { slots: 2 }), joined("b", { slots: 2 })]);
    bench.submit({ inputs: 4, pipeline: ["split"] });
    for (let n = 0; n < 3; n++) {
      bench.at += 4_000;
      bench.done(bench.runs[0] as Run, [0], undefined, 100);
    }
    bench.pass(slowAgeMinMs - 1_000);
    assert.equal(bench.runs.length, 1);
    bench.pass(2_000);
    assert.equal(bench.runs.length, 2);
  });

  it("is not decided anew by a replay", () => {
    const { bench } = allBut([3]);
    bench.pass(slowAgeMinMs);
    const replayed = new MasterMachine();
    for (const event of bench.events) replayed.handle(event);
    assert.deepEqual(snapshotMaster(replayed), snapshotMaster(bench.master));
  });
});
