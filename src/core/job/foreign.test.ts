/** Jobs that bring their worker along, as the master plans and retries them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { endedOutputsMax, endJob } from "../ended-job.ts";
import { restoreMaster, snapshotMaster } from "../snapshot.ts";
import { Bench, failure, type JobSketch, jobSpec, joined, outputOf, type Run } from "../testing.ts";
import { JobMachine } from "./machine.ts";
import { done, Stage } from "./stage.ts";

const worker = { path: "lib/worker.py", packVersion: 1 } as const;
const classic: JobSketch = { worker, pipeline: ["split", "group_node", "group_label"] };

const only = (bench: Bench): Run => {
  assert.equal(bench.runs.length, 1, bench.running().join());
  return bench.runs[0] as Run;
};

describe("a job that brings its worker along", () => {
  it("tells each task of the worker, its grouping, and a number that counts over all stages", () => {
    const bench = new Bench([joined("a"), joined("b")]);
    const job = bench.submit(classic);
    const told: string[] = [];
    for (let run = bench.runs[0]; run !== undefined; run = bench.runs[0]) {
      const { foreign, stageName, task } = run;
      assert.equal(foreign?.worker, "lib/worker.py");
      told.push(`${stageName}:${task} is ${foreign.taskId}, ${foreign.grouping}`);
      bench.done(run, [0, 3]);
    }
    assert.deepEqual(told.sort(), [
      "s0:0 is 0, split",
      "s0:1 is 1, split",
      "s1:0 is 2, group_node",
      "s1:1 is 3, group_node",
      "s2:0 is 4, group_label",
      "s2:1 is 5, group_label",
    ]);
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("says in a stage's manifest which labels each output has; other jobs do not", () => {
    const labelsOf = (sketch: JobSketch): unknown => {
      const bench = new Bench();
      const job = bench.submit(sketch);
      for (const run of [...bench.runs]) bench.done(run, run.task === 0 ? [2, 5] : [7]);
      return bench.master.manifest(job, 0)?.outputs.map(({ labels }) => labels);
    };
    assert.deepEqual(labelsOf(classic), [[2, 5], [7]]);
    assert.deepEqual(labelsOf({}), [undefined, undefined]);
  });

  it("tries a task again for the same error a hundred times, elsewhere first, and is dead in Disco's words then", () => {
    const bench = new Bench([joined("a"), joined("b")]);
    const job = bench.submit({ ...classic, inputs: 1 });
    const hosts: string[] = [];
    for (let n = 0; n <= 100; n++) {
      if (bench.runs.length === 0) bench.wake();
      hosts.push(only(bench).host);
      bench.fail(only(bench), failure(n % 2 === 0 ? "user-error" : "worker-exit", "Worker died. Last words:\nx"));
    }
    assert.equal(new Set(hosts.slice(0, 2)).size, 2, "the second try is elsewhere");
    const info = bench.master.info(job);
    assert.equal(info?.status, "dead");
    const log = bench.log(job);
    assert.ok(log.includes("WARNING: [s0:0] Worker died. Last words:\nx"));
    assert.ok(log.includes("ERROR: [s0:0] Task s0:0 failed 101 times. At most 100 failures are allowed."), log.at(-2));
  });

  it("takes the operator's max_failure_rate for its own, be it more or less than Disco's", () => {
    for (const maxFailureRate of [0, 2, 120]) {
      const bench = new Bench();
      bench.handle({ kind: "settings-saved", at: bench.at, changes: { maxFailureRate } });
      const job = bench.submit({ ...classic, inputs: 1, retries: 100 });
      let failures = 0;
      for (; bench.master.info(job)?.status === "active"; failures++) {
        if (bench.runs.length === 0) bench.wake();
        bench.fail(only(bench), failure("user-error"));
      }
      assert.equal(failures, maxFailureRate + 1);
    }
  });

  it("is dead at once for what its worker calls fatal, and says it in the worker's words", () => {
    const bench = new Bench();
    const job = bench.submit({ ...classic, inputs: 1 });
    bench.fail(only(bench), failure("worker-fatal", "no such module: x\n", "never"));
    assert.equal(bench.master.info(job)?.status, "dead");
    assert.match(bench.master.info(job)?.reason ?? "", /no such module: x/);
    assert.ok(bench.log(job).includes("FATAL: [s0:0] no such module: x"));
  });

  it("goes on in another master as it is: its worker, and what is known of labels", () => {
    const bench = new Bench();
    const job = bench.submit(classic);
    bench.done(bench.runs[0] as Run, [4]);
    const text = JSON.stringify(snapshotMaster(bench.master));
    const next = restoreMaster(JSON.parse(text));
    assert.equal(JSON.stringify(snapshotMaster(next)), text);
    assert.deepEqual(next.jobs.get(job)?.spec.worker, worker);
    assert.deepEqual(
      next.jobs
        .get(job)
        ?.stages[0]?.outputs.labels(0)
        .map(({ label }) => label),
      [4],
    );
  });

  it("leaves the addresses of so many outputs as the state can bear, by whole stages", () => {
    const spec = jobSpec({ ...classic, inputs: 1 });
    const job = new JobMachine("job@1:2:3", spec, new Bench().master.cluster, 0);
    for (const [number, tasks] of [endedOutputsMax - 1, 1, 1].entries()) {
      const group = { label: 0, host: null, task: null, inputs: [0], bytes: 0, hosts: [] };
      const stage = new Stage(number, spec.pipeline[number] ?? assert.fail(), new Array(tasks).fill(group), 0);
      for (let task = 0; task < tasks; task++) {
        stage.outputs.set(task, outputOf("a", task));
        stage.move(task, done);
      }
      job.adopt(stage);
    }
    assert.deepEqual(
      endJob(job).outputs?.map(({ length }) => length),
      [endedOutputsMax - 1, 1],
    );
  });

  it("has no results of tasks that put out nothing", () => {
    const bench = new Bench();
    const job = bench.submit({ ...classic, pipeline: ["split"] });
    bench.done(bench.runs[0] as Run, []);
    bench.done(bench.runs[0] as Run, [2]);
    assert.deepEqual(bench.master.info(job)?.results, ["dir://a/1"]);
    assert.deepEqual(bench.master.ended.get(job)?.outputs, [["dir://a/1"]]);
  });

  it("names an index once among its inputs, however many labels of it are read", () => {
    const bench = new Bench();
    const spec = jobSpec({ worker, pipeline: ["group_label"], inputs: 4 });
    const index = { label: 0, size: 0, replicas: ["dir://a/x"], hosts: ["a"] };
    const inputs = [index, { ...index, label: 3 }, spec.inputs[0], spec.inputs[0]].filter((one) => one !== undefined);
    const job = bench.master.nextName("job", bench.at);
    bench.handle({ kind: "job-submitted", at: bench.at, job, spec: { ...spec, inputs } });
    assert.deepEqual(bench.master.info(job)?.inputs, ["dir://a/x", "raw://0", "raw://0"]);
  });

  it("leaves the addresses of all its stages, as its files stay", () => {
    const bench = new Bench();
    const job = bench.submit(classic);
    bench.finish([1]);
    const { outputs, keep, worker: program } = bench.master.ended.get(job) ?? assert.fail();
    assert.deepEqual(outputs, [["dir://a/0", "dir://a/1"], ["dir://a/0"], ["dir://a/0"]]);
    assert.equal(keep, true);
    assert.equal(program, "lib/worker.py");
    assert.equal(bench.master.info(job)?.worker, "lib/worker.py");
    assert.ok(!("outputs" in (bench.master.info(job) ?? {})));
    assert.ok(!bench.commands.some(({ kind }) => kind === "drop-files"));
    const died = bench.submit(classic);
    bench.done(bench.runs[0] as Run);
    bench.fail(bench.runs[0] as Run, failure("worker-fatal", "no", "never"));
    assert.deepEqual(bench.master.ended.get(died)?.outputs, [], "the stage was not complete");
  });
});
