import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TaskInfo, TaskQuery } from "../../client/master-api.ts";
import type { Run } from "../testing.ts";
import { Bench, failure, joined } from "../testing.ts";

const tasks = (bench: Bench, job: string, query: TaskQuery = {}): readonly TaskInfo[] =>
  bench.master.tasks(job, query)?.tasks ?? [];
const waits = (bench: Bench, job: string): (string | null)[] => tasks(bench, job).map((task) => task.waits);

describe("the list of a job's tasks", () => {
  it("tells of each what it is, what it did and where", () => {
    const bench = new Bench([joined("a", { slots: 5 })]);
    const job = bench.submit({ inputs: 5, pipeline: ["split", "group_label"] });
    const startedAt = bench.at;
    bench.began(bench.runs[3] as Run);
    bench.done(bench.runs[0] as Run);
    for (const message of ["one", "two"])
      bench.fail(bench.runs.find(({ task }) => task === 1) as Run, failure("comm-error", message));
    bench.lose(bench.runs.find(({ task }) => task === 2) as Run);
    const [zero, one, two, three, four] = tasks(bench, job) as [TaskInfo, TaskInfo, TaskInfo, TaskInfo, TaskInfo];
    assert.deepEqual(zero, {
      stage: "s0",
      task: 0,
      status: "done",
      waits: null,
      wakeAt: null,
      attempts: [],
      attemptsMade: 1,
      failures: 0,
      lost: 0,
      label: 0,
      bytesTotal: 10,
      done: { host: "a", recordsIn: 1, recordsOut: 10 },
    });
    assert.deepEqual([one.status, one.failures, one.attemptsMade], ["sleeping", 2, 2]);
    assert.equal(one.wakeAt, bench.master.timers()[0]?.at);
    assert.deepEqual([two.status, two.lost, two.attempts.map(({ attempt }) => attempt)], ["running", 1, [1]]);
    assert.deepEqual([three.status, four.status], ["running", "running"]);
    assert.deepEqual([three.attempts[0]?.startedAt, four.attempts[0]?.startedAt], [startedAt, null]);
    assert.deepEqual(three.attempts[0]?.speculative, false);
  });

  it("is given in pages, by stage and by status", () => {
    const bench = new Bench([joined("a", { slots: 300 })]);
    const job = bench.submit({ inputs: 250, pipeline: ["split", "split"] });
    for (const run of bench.runs.slice(0, 30)) bench.done(run);
    const seen: number[] = [];
    for (let offset: number | null = 0, page = 0; offset !== null; page++) {
      const got = bench.master.tasks(job, { offset, status: "running", limit: 100 });
      assert.equal(got?.total, 220);
      seen.push(...(got?.tasks ?? []).map(({ task }) => task));
      offset = got?.next ?? null;
      assert.ok(page < 3);
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 220 }, (_, n) => n + 30),
    );
    assert.equal(bench.master.tasks(job)?.tasks.length, 100);
    assert.equal(bench.master.tasks(job, { limit: 1e9 })?.tasks.length, 250);
    assert.deepEqual(bench.master.tasks(job, { stage: "s1" }), { tasks: [], total: 0, next: null });
    assert.deepEqual(bench.master.tasks(job, { offset: 999 }), { tasks: [], total: 250, next: null });
    bench.finish();
    assert.equal(bench.master.tasks(job), undefined);
  });

  it("tells those that run from those that lie in the queue of a node: never do more run than it has slots", () => {
    const bench = new Bench([joined("a", { slots: 2, queueDepth: 32 })]);
    const job = bench.submit({ inputs: 12, pipeline: ["split"] });
    const other = bench.submit({ inputs: 3, pipeline: ["split"] });
    const of = (status: "running" | "queued"): (number | undefined)[] => [
      ...tasks(bench, job, { status }).map(({ task }) => task),
      bench.master.info(job)?.stages[0]?.[status],
      bench.master.tasks(job, { status })?.total,
    ];
    // Nobody has said anything: those that were assigned first.
    assert.deepEqual(of("running"), [0, 1, 2, 2]);
    assert.deepEqual(of("queued"), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 10, 10]);
    assert.deepEqual(bench.master.info(job)?.hosts, ["a", "a"]);
    // The node works in another order.
    bench.began(bench.runs.find((run) => run.job === job && run.task === 7) as Run);
    assert.deepEqual(of("running"), [0, 7, 2, 2]);
    bench.began(bench.runs.find((run) => run.job === other) as Run);
    assert.deepEqual(of("running"), [7, 1, 1]);
    assert.equal(bench.master.info(other)?.stages[0]?.running, 1);
    assert.deepEqual(bench.master.runningOn("a").sort(), [job, other].sort());
    // It has lost a slot, and what runs, runs on.
    bench.handle({ kind: "node-updated", at: bench.at, host: "a", slots: 1 });
    assert.deepEqual(of("running"), [7, 1, 1]);
    bench.done(bench.runs.find((run) => run.job === job && run.task === 7) as Run);
    assert.deepEqual(of("running"), [0, 0]);
    bench.handle({ kind: "job-killed", at: bench.at, job });
    const { waiting, queued, running } = bench.master.info(job)?.stages[0] ?? {};
    assert.deepEqual([waiting, queued, running], [0, 0, 0]);
  });

  it("knows how long a task ran from its node, and else from its assignment, as in journals of old", () => {
    const bench = new Bench([joined("a", { slots: 1, queueDepth: 8 })]);
    const job = bench.submit({ inputs: 2, pipeline: ["split"] });
    bench.at += 9_000;
    bench.done(bench.runs[0] as Run, [0], undefined, 1_500);
    bench.done(bench.runs[0] as Run);
    const finished = bench.log(job).filter((line) => line.startsWith("DONE"));
    assert.equal(finished[0], "DONE: [s0:0] Task finished in 0:00:01.500");
    assert.match(finished[1] ?? "", /^DONE: \[s0:1\] Task finished in 0:00:09\.\d{3}$/);
  });

  it("spans stages", () => {
    const bench = new Bench([joined("a", { slots: 9 })]);
    const job = bench.submit({ inputs: 3, pipeline: ["split", "split"] });
    for (const run of [...bench.runs]) bench.done(run);
    const page = bench.master.tasks(job, { offset: 2, limit: 3 });
    assert.deepEqual(
      page?.tasks.map(({ stage, task }) => `${stage}:${task}`),
      ["s0:2", "s1:0", "s1:1"],
    );
    assert.deepEqual([page?.total, page?.next], [6, 5]);
  });

  it("says why each task waits", () => {
    const nodes = [joined("a", { slots: 1 }), joined("b", { slots: 4, labels: { gpu: "1" } })];
    const bench = new Bench(nodes);
    const capped = bench.submit({ inputs: 2, scheduler: { maxCores: 1 } });
    assert.deepEqual(waits(bench, capped).slice(1), ["max_cores 1 reached"]);
    const labelled = bench.submit({ inputs: 1, labels: { gpu: "2" } });
    assert.deepEqual(waits(bench, labelled), ["no node carries label gpu=2"]);
    const local = bench.submit({ inputs: 2, hosts: ["a"], scheduler: { forceLocal: true } });
    assert.deepEqual(waits(bench, local)[0], "force_local: a, which holds its input, has no slot for it");
    const remote = bench.submit({ inputs: 1, hosts: ["b"], scheduler: { forceRemote: true } });
    assert.deepEqual(waits(bench, remote), ["force_remote: only b has a free slot, and the input as well"]);
    const greedy = bench.submit({ inputs: 9 });
    assert.deepEqual(waits(bench, greedy).slice(-1), ["all slots are taken"]);
    for (const host of ["a", "b"]) bench.handle({ kind: "node-blacklisted", at: bench.at, host });
    assert.deepEqual(waits(bench, greedy).slice(-1), ["all nodes are blacklisted"]);
    for (const host of ["a", "b"]) bench.handle({ kind: "node-lost", at: bench.at, host, reason: "silence" });
    assert.deepEqual(waits(bench, greedy).slice(-1), ["no nodes"]);
  });

  it("says of a task that avoids a node where it failed", () => {
    const bench = new Bench([joined("a", { slots: 2 }), joined("b", { slots: 1 })]);
    bench.submit({ inputs: 1, pipeline: ["split"], hosts: ["b"] });
    const job = bench.submit({ inputs: 1, pipeline: ["split"] });
    bench.fail(bench.runs.find((run) => run.job === job) as Run, failure("data-error", "x", "elsewhere"));
    assert.deepEqual(waits(bench, job), ["it failed on a and waits for another node"]);
  });

  it("says of tasks of a later stage that an earlier one has to run first", () => {
    const bench = new Bench([joined("a", { slots: 1 })]);
    const job = bench.submit({ inputs: 1, pipeline: ["split", "split"] });
    bench.done(bench.runs[0] as Run, [0, 1]);
    bench.inputLost(bench.runs[0] as Run, 0);
    assert.deepEqual(waits(bench, job), [null, "stage s0 has to run first", "stage s0 has to run first"]);
  });
});
