import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MasterMachine } from "../master.ts";
import { restoreMaster, snapshotMaster } from "../snapshot.ts";
import type { JobSketch, Run } from "../testing.ts";
import { Bench, failure, joined } from "../testing.ts";
import type { Grouping } from "./spec.ts";

const run = (bench: Bench, title: string): Run => {
  const found = bench.runs.find(({ stage, task }) => `${stage}:${task}` === title);
  if (found === undefined) throw new Error(`${title} does not run: ${bench.running().join()}`);
  return found;
};
const titles = (bench: Bench): string[] => bench.runs.map(({ stage, task }) => `${stage}:${task}`).sort();
const runs = (bench: Bench): string[] =>
  bench.runs.map(({ stage, task, attempt }) => `${stage}:${task}#${attempt}`).sort();
const isOpen = ({ input }: Run): boolean => input.kind === "stage" && input.open === true;

/** Three maps on two nodes of four slots, and a stage beside them. */
function beside(grouping: Grouping, sketch: JobSketch = {}): { bench: Bench; job: string } {
  const bench = new Bench([joined("a", { slots: 4 }), joined("b", { slots: 4 })]);
  const job = bench.submit({ inputs: 3, pipeline: ["split", grouping], concurrent: true, ...sketch });
  return { bench, job };
}

describe("a stage beside the stage before it", () => {
  it("begins with the first output, and gets tasks and inputs with the others", () => {
    const { bench, job } = beside("group_label");
    bench.done(run(bench, "0:1"), [5]);
    assert.deepEqual(titles(bench), ["0:0", "0:2", "1:0"]);
    assert.ok(isOpen(run(bench, "1:0")));
    bench.done(run(bench, "0:0"), [5, 2]);
    assert.deepEqual(titles(bench), ["0:2", "1:0", "1:1"]);
    assert.equal(bench.job(job).stages[1]?.group(0).bytes, 200);
    const part = bench.master.manifestPart(job, 0, null);
    assert.deepEqual([part?.outputs.map(({ task }) => task), part?.open], [[1, 0], true]);
    bench.done(run(bench, "0:2"), [2, 9]);
    assert.deepEqual(titles(bench), ["1:0", "1:1", "1:2"]);
    assert.ok(!isOpen(run(bench, "1:2")));
    const rest = bench.master.manifestPart(job, 0, part?.mark ?? null);
    assert.deepEqual([rest?.outputs.map(({ task }) => task), rest?.open], [[2], undefined]);
    bench.finish();
    // In the order of labels 2, 5, 9, not in that in which they came.
    assert.deepEqual(
      bench.master.result(job).results.map((address) => address.split("/").at(-1)),
      ["1", "0", "2"],
    );
    const log = bench.log(job).filter((line) => line.startsWith("Stage s"));
    assert.equal(log[1], "Stage s1 begins while s0 runs");
    assert.equal(log[3], "Stage s1 scheduled with 3 tasks");
  });

  it("does one output after the other where each is a task, and never waits for the rest", () => {
    const { bench, job } = beside("split");
    bench.done(run(bench, "0:2"));
    bench.done(run(bench, "1:0"));
    assert.equal(bench.job(job).stages[1]?.complete, false);
    assert.equal(bench.job(job).stages[1]?.awaitsInput, false);
    bench.finish();
    assert.deepEqual(
      bench.master.result(job).results.map((address) => address.split("/").at(-1)),
      ["1", "2", "0"],
    );
  });

  it("is planned as ever where no output was there before the end, and where outputs make no tasks", () => {
    const { bench, job } = beside("group_label", { inputs: 1 });
    bench.done(run(bench, "0:0"), [1, 2]);
    assert.equal(bench.job(job).stages[1]?.closedAt, 0);
    assert.ok(!bench.runs.some(isOpen));
    const empty = beside("group_label");
    for (const title of ["0:0", "0:1", "0:2"]) empty.bench.done(run(empty.bench, title), []);
    assert.equal(empty.bench.master.info(empty.job)?.status, "ready");
  });

  it("starts nothing as long as a task of the stage before waits, or is to be tried again", () => {
    const bench = new Bench([joined("a", { slots: 2 })]);
    bench.submit({ inputs: 3, pipeline: ["split", "group_label"], concurrent: true });
    bench.done(run(bench, "0:0"));
    assert.deepEqual(titles(bench), ["0:1", "0:2"]);
    bench.done(run(bench, "0:1"));
    assert.deepEqual(titles(bench), ["0:2", "1:0"]);
  });

  it("has nothing queued behind tasks that wait for input, and gives those no place in a queue", () => {
    const bench = new Bench([joined("a", { slots: 1, queueDepth: 4 })]);
    bench.submit({ inputs: 2, pipeline: ["split", "group_label"], concurrent: true });
    bench.done(run(bench, "0:0"), [1, 2]);
    assert.deepEqual(titles(bench), ["0:1"]);
    bench.lose(run(bench, "0:1"));
    bench.done(run(bench, "0:1"), [1]);
    assert.deepEqual(titles(bench), ["1:0", "1:1"]);

    const two = new Bench([joined("a", { slots: 2, queueDepth: 4 })]);
    two.submit({ inputs: 2, pipeline: ["split", "group_label"], concurrent: true });
    two.done(run(two, "0:0"), [1, 2]);
    assert.deepEqual(titles(two), ["0:1", "1:0"]);
    two.submit({ inputs: 6 });
    // The slot of the waiting task and the places behind it are taken; the other slot has four places.
    assert.equal(two.runs.length, 5);
  });

  it("gives a slot back to the stage before, when a task of that has to run again and finds none", () => {
    const bench = new Bench([joined("a", { slots: 1 }), joined("b", { slots: 1 })]);
    const job = bench.submit({ inputs: 2, pipeline: ["split", "group_label"], concurrent: true });
    const first = run(bench, "0:0");
    bench.done(first, [1]);
    assert.deepEqual(titles(bench), ["0:1", "1:0"]);
    const { host } = run(bench, "0:1");
    bench.runs = bench.runs.filter(({ stage }) => stage === 1);
    bench.handle({ kind: "node-lost", at: bench.at, host, reason: "silence" });
    assert.deepEqual(titles(bench), ["0:1"]);
    const stage = bench.job(job).stages[1];
    assert.deepEqual([stage?.failed, stage?.troubles.size], [0, 0]);
    assert.ok(bench.log(job).some((line) => line.includes(`gives its slot on ${first.host} to a task of a`)));
    bench.finish([1, 2]);
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("gives way where the operator has taken the slot in which the stage before would run", () => {
    const bench = new Bench([joined("a", { slots: 2 })]);
    const job = bench.submit({ inputs: 2, pipeline: ["split", "group_label"], concurrent: true });
    bench.done(run(bench, "0:0"), [1, 2]);
    assert.deepEqual(titles(bench), ["0:1", "1:0"]);
    bench.handle({ kind: "config-saved", at: bench.at, table: [["a", 1]] });
    assert.deepEqual(titles(bench), ["0:1"]);
    bench.finish([1, 2]);
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("keeps within max_cores, and gives way there as well", () => {
    const { bench, job } = beside("group_label", { scheduler: { maxCores: 2 } });
    bench.done(run(bench, "0:0"), [1, 2]);
    bench.done(run(bench, "0:1"), [1, 2]);
    assert.deepEqual(titles(bench), ["0:2", "1:0"]);
    bench.lose(run(bench, "0:2"));
    bench.done(run(bench, "0:2"), [1]);
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("restarts those who read an output that was made again and differs, once all inputs are there", () => {
    const { bench, job } = beside("group_label");
    bench.done(run(bench, "0:0"), [1]);
    bench.done(run(bench, "0:1"), [2]);
    bench.inputLost(run(bench, "1:0"), 0);
    assert.deepEqual(titles(bench), ["0:0", "0:2", "1:1"]);
    bench.done(run(bench, "0:0"), [1], "other records");
    assert.deepEqual(
      runs(bench).filter((title) => title.startsWith("1:")),
      ["1:0#1", "1:1#0"],
    );
    bench.done(run(bench, "0:2"), [2]);
    assert.deepEqual(runs(bench), ["1:0#2", "1:1#0"]);
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("is planned anew when a group that it has is none any more", () => {
    const { bench, job } = beside("group_label");
    bench.done(run(bench, "0:0"), [7]);
    bench.done(run(bench, "0:1"), [2]);
    bench.inputLost(run(bench, "1:0"), 0);
    bench.done(run(bench, "0:0"), [2], "other records");
    bench.done(run(bench, "0:2"), [2]);
    assert.equal(bench.job(job).stages[1]?.tasks, 1);
    assert.equal(bench.job(job).stages[1]?.closedAt, 0);
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("is told of from the beginning by another master, and when the stage before is planned anew", () => {
    const { bench, job } = beside("group_label");
    bench.done(run(bench, "0:2"), [1]);
    bench.done(run(bench, "0:1"), [1]);
    const mark = bench.master.manifestPart(job, 0, null)?.mark ?? null;
    assert.deepEqual(bench.master.manifestPart(job, 0, mark)?.outputs, []);
    const restored = restoreMaster(JSON.parse(JSON.stringify(snapshotMaster(bench.master))));
    restored.handle({ kind: "master-started", at: bench.at, epoch: 1 });
    const told = restored.manifestPart(job, 0, mark);
    assert.deepEqual([told?.outputs.map(({ task }) => task), told?.open], [[1, 2], true]);
    assert.deepEqual(restored.manifestPart(job, 0, told?.mark ?? null)?.outputs, []);

    const machine = bench.job(job);
    machine.used[0] = { attempts: 1, versions: 1 };
    assert.equal(bench.master.manifestPart(job, 0, mark)?.outputs.length, 2);
  });

  it("is the same after a replay, whatever was decided meanwhile", () => {
    const bench = new Bench([joined("a", { slots: 2 })]);
    bench.submit({ inputs: 2, pipeline: ["split", "group_label", "group_all"], concurrent: true });
    bench.done(run(bench, "0:0"), [1, 2]);
    bench.handle({ kind: "config-saved", at: bench.at, table: [["a", 1]] });
    bench.fail(run(bench, "0:1"), failure("worker-exit"));
    assert.ok(bench.events.some((event) => event.kind === "tasks-assigned" && event.preempted?.length === 1));
    const replayed = new MasterMachine();
    for (const event of bench.events) replayed.handle(event);
    assert.deepEqual(snapshotMaster(replayed), snapshotMaster(bench.master));
  });

  it("is not slow by the time for which it waited for input", () => {
    const bench = new Bench([joined("a", { slots: 4 }), joined("b", { slots: 4 })]);
    bench.submit({ inputs: 2, pipeline: ["split", "group_label"], concurrent: true });
    bench.done(run(bench, "0:0"), [1, 2, 3, 4]);
    bench.pass(600_000);
    bench.done(run(bench, "0:1"), [1, 2, 3, 4], undefined, 600_000);
    for (const task of ["1:0", "1:1", "1:2"]) bench.done(run(bench, task));
    bench.pass(1_000);
    assert.deepEqual(titles(bench), ["1:3"]);
    bench.pass(10_000);
    assert.deepEqual(titles(bench), ["1:3", "1:3"]);
  });
});
