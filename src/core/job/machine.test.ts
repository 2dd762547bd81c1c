import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Run } from "../testing.ts";
import { Bench, failure, joined } from "../testing.ts";

const run = (bench: Bench, title: string): Run => {
  const found = bench.runs.find(({ stage, task }) => `${stage}:${task}` === title);
  if (found === undefined) throw new Error(`${title} does not run: ${bench.running().join()}`);
  return found;
};

describe("a job", () => {
  it("runs its stages one after the other and is ready with a result a task, in Disco's words", () => {
    const bench = new Bench();
    const job = bench.submit();
    bench.done(run(bench, "0:0"), [0, 1]);
    assert.deepEqual(bench.running(), ["0:1#0@a"]);
    bench.done(run(bench, "0:1"), [1]);
    assert.deepEqual(bench.running(), ["1:0#0@a", "1:1#0@a"]);
    assert.deepEqual(run(bench, "1:1").input, { kind: "stage", stage: 0, version: 0, label: 1 });
    bench.finish();
    const info = bench.master.info(job);
    assert.equal(info?.status, "ready");
    assert.deepEqual(info?.results, ["dir://a/0", "dir://a/1"]);
    const log = bench.log(job).join("\n");
    for (const text of [
      "New job initialized!",
      `Created job "${job}"`,
      "Stage s0 scheduled with 2 tasks",
      "s0:0 assigned to a",
      "DONE: [s0:0] Task finished in 0:00:00.",
      "SYS: [s0:0] Received results from a",
      "Stage s0 finished in",
      "READY: Job done in",
    ])
      assert.ok(log.includes(text), text);
    assert.deepEqual(
      bench.commands.filter(({ kind }) => kind === "drop-files"),
      [{ kind: "drop-files", job, hosts: ["a"], scope: "intermediate" }],
    );
  });

  it("has no reduce for a label that nobody emitted, and none at all if nothing was emitted", () => {
    const bench = new Bench();
    const some = bench.submit();
    bench.done(run(bench, "0:0"), [5]);
    bench.done(run(bench, "0:1"), [2, 5]);
    assert.deepEqual(
      bench.runs.map(({ group }) => group.label),
      [2, 5],
    );
    bench.finish();
    const none = bench.submit();
    bench.finish([]);
    assert.equal(bench.master.info(some)?.results.length, 2);
    assert.deepEqual([bench.master.info(none)?.status, bench.master.info(none)?.results], ["ready", []]);
  });

  it("groups outputs by label, node, both, all or not at all", () => {
    const groups = (grouping: "split" | "group_label" | "group_node" | "group_node_label" | "group_all"): unknown => {
      const bench = new Bench([joined("a", { slots: 9 }), joined("b", { slots: 9 })]);
      const job = bench.submit({ inputs: 2, hosts: ["a", "b"], pipeline: ["split", grouping] });
      bench.done(run(bench, "0:1"), [1]);
      bench.done(run(bench, "0:0"), [0, 1]);
      return bench.job(job).stages[1]?.groups.map(({ task, host, label }) => [task, host, label]);
    };
    assert.deepEqual(groups("split"), [
      [0, "a", 0],
      [0, "a", 1],
      [1, "b", 1],
    ]);
    assert.deepEqual(groups("group_label"), [
      [null, null, 0],
      [null, null, 1],
    ]);
    assert.deepEqual(groups("group_node"), [
      [null, "a", null],
      [null, "b", null],
    ]);
    assert.deepEqual(groups("group_node_label"), [
      [null, "a", 0],
      [null, "a", 1],
      [null, "b", 1],
    ]);
    assert.deepEqual(groups("group_all"), [[null, null, null]]);
  });

  it("reads job inputs by label in a reduce-only job", () => {
    const bench = new Bench();
    bench.submit({ inputs: 3, pipeline: ["group_label"] });
    const { input } = run(bench, "0:0");
    assert.ok(input.kind === "inputs");
    assert.deepEqual(
      input.inputs.map(({ replicas }) => replicas),
      [["raw://0"], ["raw://1"], ["raw://2"]],
    );
  });

  it("tries a failed task again, first at once, then after pauses that grow", () => {
    const bench = new Bench();
    const job = bench.submit({ inputs: 1, retries: 4 });
    const pauses: number[] = [];
    bench.fail(run(bench, "0:0"), failure("user-error", "first"));
    for (const message of ["second", "third", "fourth"]) {
      bench.fail(run(bench, "0:0"), failure("user-error", message));
      pauses.push((bench.master.timers()[0]?.at ?? 0) - bench.at + 1);
      bench.wake();
    }
    assert.deepEqual(pauses, [50, 100, 200]);
    bench.fail(run(bench, "0:0"), failure("user-error", "fifth"));
    assert.equal(bench.master.info(job)?.status, "dead");
    assert.match(bench.master.info(job)?.reason ?? "", /failed 5 times, 4 retries are allowed/);
    assert.equal(bench.master.info(job)?.failure?.message, "fifth");
  });

  it("dies when the user's code fails twice in the same way, and stops its other tasks", () => {
    const bench = new Bench();
    const job = bench.submit();
    bench.fail(run(bench, "0:0"), failure("user-error"));
    bench.fail(run(bench, "0:0"), failure("user-error"));
    assert.match(
      bench.master.info(job)?.reason ?? "",
      /task s0:0 failed on a: Error: it broke \(it failed twice in the same way\)/,
    );
    assert.deepEqual(bench.runs, []);
    assert.equal(bench.master.cluster.node("a")?.load, 0);
  });

  it("dies at once of a failure that cannot be cured, and after fewer tries of some kinds", () => {
    const deaths = (code: string, retry: "here" | "never"): number => {
      const bench = new Bench();
      const job = bench.submit({ inputs: 1, retries: 10 });
      for (let n = 1; ; n++) {
        bench.fail(run(bench, "0:0"), failure(code, `time ${n}`, retry));
        if (bench.master.info(job)?.status === "dead") return n;
        if (bench.runs.length === 0) bench.wake();
      }
    };
    assert.equal(deaths("bad-partition", "never"), 1);
    assert.equal(deaths("out-of-memory", "here"), 2);
    assert.equal(deaths("worker-signal", "here"), 3);
    assert.equal(deaths("comm-error", "here"), 11);
  });

  it("keeps a task with bad data off the node where it failed, if there is another one", () => {
    const bench = new Bench(["a", "b"]);
    bench.submit({ inputs: 1, hosts: ["a"] });
    assert.equal(run(bench, "0:0").host, "a");
    bench.fail(run(bench, "0:0"), failure("data-error", "x", "elsewhere"));
    assert.equal(run(bench, "0:0").host, "b");
    bench.handle({ kind: "node-blacklisted", at: bench.at, host: "b" });
    bench.fail(run(bench, "0:0"), failure("data-error", "y", "elsewhere"));
    bench.wake();
    assert.equal(run(bench, "0:0").host, "a");
  });

  it("does not count lost attempts as failures, up to a bound", () => {
    const bench = new Bench();
    const job = bench.submit({ inputs: 1, retries: 0 });
    for (let n = 0; n < 100; n++) {
      bench.lose(run(bench, "0:0"));
      if (bench.runs.length === 0) bench.wake();
    }
    bench.lose(run(bench, "0:0"));
    assert.match(bench.master.info(job)?.reason ?? "", /lost 101 times/);
  });

  it("takes the first of two attempts, cancels the other, and hears no more of it", () => {
    const bench = new Bench([joined("a"), joined("b")]);
    const job = bench.submit({ inputs: 1 });
    const first = run(bench, "0:0");
    const other = first.host === "a" ? "b" : "a";
    bench.handle({
      kind: "tasks-assigned",
      at: bench.at,
      tasks: [{ job, stage: 0, task: 0, attempt: 1, host: other }],
    });
    const second = bench.runs.find(({ attempt }) => attempt === 1) as Run;
    const commands = bench.done(second, [0], "the second's");
    assert.ok(commands.some((one) => one.kind === "cancel" && one.host === first.host && one.id.attempt === 0));
    bench.done(first, [0, 1, 2], "the first's");
    assert.equal(bench.job(job).stages[0]?.outputs.digest(0), "the second's");
    assert.deepEqual(bench.running().length, 1);
  });

  it("ignores reports that come twice, late, or of attempts that never were", () => {
    const bench = new Bench();
    const job = bench.submit();
    const one = run(bench, "0:0");
    bench.done(one);
    bench.done(one);
    bench.lose({ ...one, task: 1, attempt: 7 });
    bench.fail({ ...one, stage: 5 }, failure("user-error"));
    bench.done({ ...one, job: "nobody@1:2:3" });
    bench.finish();
    bench.done(one);
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("is dead once a user killed it, whatever its tasks report", () => {
    const bench = new Bench();
    const job = bench.submit();
    const one = run(bench, "0:0");
    bench.handle({ kind: "job-killed", at: bench.at, job });
    assert.deepEqual(bench.runs, []);
    bench.done(one);
    assert.deepEqual([bench.master.info(job)?.status, bench.master.info(job)?.reason], ["dead", "killed by a user"]);
    assert.ok(bench.log(job).includes("WARN: Job killed"));
  });

  it("says how much was finished when its engine died", () => {
    const bench = new Bench();
    const job = bench.submit({ inputs: 5 });
    bench.done(run(bench, "0:0"));
    bench.handle({ kind: "interrupted", at: bench.at });
    assert.match(bench.master.info(job)?.reason ?? "", /1 of 5 tasks had finished \(1 of 2 stages had not begun\)/);
    assert.equal(bench.master.cluster.node("a")?.connected, false);
  });

  it("counts what people see", () => {
    const bench = new Bench();
    const job = bench.submit({ inputs: 3 });
    bench.done(run(bench, "0:0"));
    bench.fail(run(bench, "0:1"), failure("comm-error"));
    const [map, reduce] = bench.master.info(job)?.stages ?? [];
    assert.deepEqual(map, {
      stage: "s0",
      tasks: 3,
      waiting: 0,
      queued: 0,
      running: 2,
      done: 1,
      failed: 1,
      recordsIn: 1,
      recordsOut: 10,
      bytesIn: 10,
      bytesTotal: 30,
    });
    assert.equal(reduce?.tasks, 0);
  });
});
