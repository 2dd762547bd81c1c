import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Bench, failure, joined } from "./testing.ts";

const hosts = (bench: Bench): string[] => bench.runs.map(({ host }) => host).sort();

describe("scheduling", () => {
  it("fills slots times queue depth of each node, the least loaded first", () => {
    const bench = new Bench([joined("a", { slots: 1, queueDepth: 2 }), joined("b", { slots: 2, queueDepth: 2 })]);
    bench.submit({ inputs: 3 });
    assert.deepEqual(hosts(bench), ["a", "b", "b"]);
    bench.submit({ inputs: 9 });
    assert.deepEqual(hosts(bench), ["a", "a", "b", "b", "b", "b"]);
  });

  it("sends a task to a node that holds its input", () => {
    const bench = new Bench([joined("a", { slots: 3 }), joined("b", { slots: 1 })]);
    bench.submit({ inputs: 3, hosts: ["b", "a"] });
    assert.deepEqual(
      bench.runs.map(({ task, host }) => `${task}@${host}`),
      ["1@a", "0@b"],
    );
  });

  it("waits for a node that holds the input if the job says force_local", () => {
    const bench = new Bench([joined("a"), joined("b", { slots: 1 })]);
    const job = bench.submit({ inputs: 2, hosts: ["b"], scheduler: { forceLocal: true } });
    assert.deepEqual(hosts(bench), ["b"]);
    assert.deepEqual(bench.master.reasons(job), ["force_local: no node with room holds the input"]);
  });

  it("keeps tasks off the nodes that hold their input if the job says force_remote", () => {
    const bench = new Bench([joined("a", { slots: 5 })]);
    const job = bench.submit({ inputs: 3, hosts: ["a", "b", null], scheduler: { forceRemote: true } });
    assert.deepEqual(
      bench.runs.map(({ task }) => task).sort((x, y) => x - y),
      [1, 2],
    );
    assert.deepEqual(bench.master.reasons(job), ["force_remote: only nodes that hold the input have room"]);
  });

  it("puts the replica on the task's own node first, then the one on the least loaded node", () => {
    const bench = new Bench([joined("a", { slots: 4 }), joined("b", { slots: 4 }), joined("c", { slots: 4 })]);
    bench.submit({ inputs: 2, hosts: ["a"] });
    const spec = bench.job(bench.submit()).spec;
    const job = bench.master.nextName("job", bench.at);
    const inputs = [{ label: 0, size: 1, replicas: ["on a", "on b", "on nobody"], hosts: ["a", "b", null] }];
    bench.handle({ kind: "job-submitted", at: bench.at, job, spec: { ...spec, inputs } });
    const run = bench.runs.at(-1);
    assert.equal(run?.host, "b");
    assert.ok(run?.input.kind === "inputs");
    assert.deepEqual(run.input.inputs[0]?.replicas, ["on b", "on a", "on nobody"]);
  });

  it("runs at most max_cores tasks of a job, and says so", () => {
    const bench = new Bench([joined("a", { slots: 8 })]);
    const job = bench.submit({ inputs: 5, scheduler: { maxCores: 2 } });
    assert.equal(bench.runs.length, 2);
    assert.deepEqual(bench.master.reasons(job), ["max_cores 2 reached"]);
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("runs a job only on nodes that carry its labels", () => {
    const bench = new Bench([joined("a"), joined("b", { labels: { gpu: "1" } })]);
    const job = bench.submit({ inputs: 5, labels: { gpu: "1" } });
    assert.deepEqual(hosts(bench), ["b", "b"]);
    bench.handle({ kind: "node-updated", at: bench.at, host: "b", labels: {} });
    bench.lose(bench.runs[0] as never);
    assert.deepEqual(bench.master.reasons(job), ["no node carries label gpu=1"]);
  });

  it("starts nothing on a blacklisted node, until it is whitelisted; what runs may finish", () => {
    const bench = new Bench(["a"]);
    const job = bench.submit({ inputs: 3 });
    bench.handle({ kind: "node-blacklisted", at: bench.at, host: "a" });
    bench.done(bench.runs[0] as never);
    assert.equal(bench.runs.length, 1);
    assert.deepEqual(bench.master.reasons(job), ["all nodes are blacklisted"]);
    bench.handle({ kind: "node-whitelisted", at: bench.at, host: "a" });
    assert.equal(bench.runs.length, 2);
  });

  it("gives jobs equal shares, or all to the oldest", () => {
    const shares = (policy: "fair" | "fifo"): number[] => {
      const bench = new Bench([joined("a", { slots: 4 })], { policy });
      const jobs = [bench.submit({ inputs: 20 }), bench.submit({ inputs: 20 })];
      for (let n = 0; n < 4; n++) bench.done(bench.runs[0] as never);
      return jobs.map((job) => bench.job(job).live);
    };
    assert.deepEqual(shares("fair"), [2, 2]);
    assert.deepEqual(shares("fifo"), [4, 0]);
  });

  it("follows the slots of a node as they change", () => {
    const bench = new Bench([joined("a", { slots: 1 })]);
    bench.submit({ inputs: 5 });
    bench.handle({ kind: "node-updated", at: bench.at, host: "a", slots: 3 });
    assert.equal(bench.runs.length, 3);
    bench.handle({ kind: "node-updated", at: bench.at, host: "a", slots: 1 });
    bench.done(bench.runs[0] as never);
    assert.equal(bench.runs.length, 2);
  });
});

describe("a master", () => {
  it("names jobs as Disco does, each once, also within a microsecond and after they are forgotten", () => {
    const bench = new Bench([]);
    bench.at = 1_795_383_000_123;
    const first = bench.submit();
    assert.equal(first, `job@${(1795).toString(16)}:${(383000).toString(16)}:${(123000).toString(16)}`);
    bench.at = 1_795_383_000_123;
    bench.handle({ kind: "job-purged", at: bench.at, job: first });
    bench.at = 1_795_383_000_100;
    assert.notEqual(bench.submit(), first);
  });

  it("refuses a name that is taken and an epoch that is not new", () => {
    const bench = new Bench();
    const job = bench.submit();
    const { spec } = bench.job(job);
    assert.throws(() => bench.master.handle({ kind: "job-submitted", at: 1, job, spec }), { code: "job-exists" });
    assert.throws(() => bench.master.handle({ kind: "master-started", at: 1, epoch: 0 }), { code: "old-epoch" });
  });

  it("gives commands its epoch", () => {
    const bench = new Bench();
    bench.handle({ kind: "master-started", at: 1, epoch: 7 });
    bench.submit();
    assert.equal(bench.runs[0]?.epoch, 7);
  });

  it("forgets a cleaned job and keeps its files; a purged one goes with them", () => {
    const bench = new Bench();
    const [one, two] = [bench.submit({ inputs: 1 }), bench.submit({ inputs: 1 })];
    bench.finish();
    const cleaned = bench.handle({ kind: "job-cleaned", at: bench.at, job: one });
    assert.deepEqual(cleaned, [{ kind: "forget-job", job: one }]);
    const purged = bench.handle({ kind: "job-purged", at: bench.at, job: two });
    assert.deepEqual(purged, [
      { kind: "drop-files", job: two, hosts: ["a"], scope: "all" },
      { kind: "forget-job", job: two },
    ]);
    assert.deepEqual([bench.master.result(one).status, bench.master.list()], ["unknown_job", []]);
  });

  it("kills an active job that is purged", () => {
    const bench = new Bench();
    const job = bench.submit();
    const kinds = bench
      .handle({ kind: "job-purged", at: bench.at, job })
      .map(({ kind }) => kind)
      .filter((kind) => kind !== "log");
    assert.deepEqual(kinds, ["stop-job", "job-ended", "drop-files", "drop-files", "forget-job"]);
  });

  it("knows the job of an idempotency key until the job is forgotten", () => {
    const bench = new Bench([]);
    const { spec } = bench.job(bench.submit());
    bench.handle({ kind: "job-submitted", at: 1, job: "x@1:2:3", spec, key: "k" });
    assert.equal(bench.master.keys.get("k"), "x@1:2:3");
    bench.handle({ kind: "job-cleaned", at: 1, job: "x@1:2:3" });
    assert.equal(bench.master.keys.get("k"), undefined);
  });

  it("counts what nodes did well and badly", () => {
    const bench = new Bench();
    bench.submit({ inputs: 2 });
    bench.fail(bench.runs[0] as never, failure("data-error"));
    bench.fail(bench.runs[0] as never, failure("user-error"));
    bench.finish();
    const node = bench.master.cluster.node("a");
    assert.deepEqual([node?.tasksOk, node?.tasksFailed, node?.dataErrors], [3, 1, 1]);
  });

  it("keeps values that tasks put, the later stage's before the earlier's, also after the job's end", () => {
    const bench = new Bench();
    const job = bench.submit({ inputs: 1 });
    for (let n = 0; n < 2; n++) {
      const run = bench.runs.shift();
      if (run === undefined) throw new Error("nothing runs");
      const ref = { host: "a", file: "f", at: n, length: 1, digest: "d" };
      const oob = [
        { key: "k", file: `oob-${run.stage}`, size: 1 },
        { key: `k${run.stage}`, file: "x", size: 2 },
      ];
      const output = {
        ref,
        labels: [{ label: 0, bytes: 1, records: 1 }],
        oob,
        recordsIn: 1,
        recordsOut: 1,
        bytesIn: 1,
        peakRss: 1,
      };
      bench.handle({
        kind: "task-done",
        at: bench.at,
        job,
        stage: run.stage,
        task: run.task,
        attempt: run.attempt,
        output,
      });
    }
    assert.deepEqual(
      bench.master.oob(job).map(({ key, file, host }) => [key, file, host]),
      [
        ["k", "oob-1", "a"],
        ["k0", "x", "a"],
        ["k1", "x", "a"],
      ],
    );
  });
});
