import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { restoreMaster, snapshotMaster } from "../snapshot.ts";
import { Bench, jobSpec, joined } from "../testing.ts";
import type { JobMachine } from "./machine.ts";
import { saveFailuresMax, unsaved } from "./saving.ts";

function submit(bench: Bench): string {
  const spec = { ...jobSpec(), save: { results: true, oob: true } };
  const job = bench.master.nextName("job", bench.at);
  bench.handle({ kind: "job-submitted", at: bench.at, job, spec });
  return job;
}

function attemptOf(job: JobMachine): number {
  assert.ok(job.saving !== null);
  return job.saving.attempt;
}

const tag = "tag://disco:results:job";

function saved(bench: Bench, job: string, attempt: number): void {
  bench.handle({ kind: "results-saved", at: bench.at, job, attempt, results: [tag] });
}

function notSaved(bench: Bench, job: string, lost: { stage: number; task: number }[] = []): void {
  const machine = bench.job(job);
  bench.handle({
    kind: "results-not-saved",
    at: bench.at,
    job,
    attempt: attemptOf(machine),
    reason: "no room",
    lost: lost.map(({ stage, task }) => {
      const ref = machine.stages[stage]?.outputs.ref(task);
      assert.ok(ref !== undefined);
      return { stage, task, ref };
    }),
  });
}

describe("a job whose results are saved", () => {
  it("is active until they are, and ready with the tag as its result", () => {
    const bench = new Bench();
    const job = submit(bench);
    bench.finish();
    assert.equal(bench.job(job).status, "active");
    assert.deepEqual(unsaved(bench.master.jobs.values()), [{ kind: "save-results", job, attempt: 1 }]);
    assert.equal(bench.commands.filter(({ kind }) => kind === "save-results").length, 1);
    saved(bench, job, 7);
    assert.equal(bench.job(job).status, "active");
    saved(bench, job, 1);
    assert.equal(bench.master.result(job).status, "ready");
    assert.deepEqual(bench.master.result(job).results, [tag]);
  });

  it("makes lost results again before it saves anew, and believes nothing of the try before", () => {
    const bench = new Bench(["a", "b"]);
    const job = submit(bench);
    bench.finish();
    const lost = bench.job(job).stages[1]?.outputs.host(0) ?? "";
    bench.handle({ kind: "node-lost", at: bench.at, host: lost, reason: "it is silent" });
    assert.equal(bench.job(job).saving, null);
    saved(bench, job, 1);
    assert.equal(bench.job(job).status, "active");
    bench.finish();
    assert.equal(attemptOf(bench.job(job)), 2);
    saved(bench, job, 2);
    assert.equal(bench.master.result(job).status, "ready");
  });

  it("has tasks run again whose outputs cannot be read, also those that no later task reads any more", () => {
    const bench = new Bench();
    const job = submit(bench);
    bench.finish();
    notSaved(bench, job, [{ stage: 0, task: 1 }]);
    assert.equal(bench.job(job).saving, null);
    assert.deepEqual(
      bench.runs.map(({ stage, task }) => [stage, task]),
      [[0, 1]],
    );
    bench.finish();
    assert.equal(attemptOf(bench.job(job)), 2);
    saved(bench, job, 2);
    assert.equal(bench.master.result(job).status, "ready");
  });

  it("tries again after a pause, and is dead when it never works", () => {
    const bench = new Bench();
    const job = submit(bench);
    bench.finish();
    for (let i = 1; i < saveFailuresMax; i++) {
      notSaved(bench, job);
      assert.deepEqual(unsaved(bench.master.jobs.values()), []);
      bench.wake();
      assert.equal(attemptOf(bench.job(job)), i + 1);
    }
    notSaved(bench, job);
    assert.equal(bench.master.result(job).status, "dead");
    assert.match(bench.master.result(job).reason ?? "", /could not be saved: no room/);
  });

  it("can be killed meanwhile, and what comes then changes nothing", () => {
    const bench = new Bench();
    const job = submit(bench);
    bench.finish();
    bench.handle({ kind: "job-killed", at: bench.at, job });
    saved(bench, job, 1);
    assert.equal(bench.master.result(job).status, "dead");
  });

  it("goes on where it was after a snapshot", () => {
    const bench = new Bench(["a", joined("b")]);
    const job = submit(bench);
    bench.finish();
    const again = restoreMaster(JSON.parse(JSON.stringify(snapshotMaster(bench.master))));
    assert.deepEqual(unsaved(again.jobs.values()), unsaved(bench.master.jobs.values()));
    again.handle({ kind: "results-saved", at: bench.at, job, attempt: 1, results: null });
    assert.equal(again.result(job).status, "ready");
    assert.ok(again.result(job).results.every((url) => url.startsWith("dir://")));
  });
});
