import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dropOf } from "./leftovers.ts";
import { restoreMaster, snapshotMaster } from "./snapshot.ts";
import { Bench, jobSpec, joined } from "./testing.ts";

const url = "http://n";

/** Nodes of other machines; the job runs on `a` alone. */
function bench(): Bench {
  return new Bench([joined("a", { url }), joined("b", { url, slots: 0 })]);
}

function submit(on: Bench, change: object = {}, more: object = {}): string {
  const job = on.master.nextName("job", on.at);
  on.handle({ kind: "job-submitted", at: on.at, job, spec: { ...jobSpec(), ...change }, ...more });
  return job;
}

describe("files of a job that a node has, and does not work for", () => {
  it("stay as long as the job is active, whatever it is", () => {
    const on = bench();
    const job = submit(on);
    assert.equal(dropOf(on.master, "b", { job, intermediate: true }), null);
  });

  it("go but for results when it has ended, and with them where none of these are", () => {
    const on = bench();
    const job = submit(on);
    on.finish();
    assert.equal(dropOf(on.master, "a", { job, intermediate: true }), "intermediate");
    assert.equal(dropOf(on.master, "a", { job, intermediate: false }), null);
    assert.equal(dropOf(on.master, "b", { job, intermediate: true }), "all");
    assert.equal(dropOf(on.master, "b", { job, intermediate: false }), "all");
  });

  it("stay all when the job is to keep them, and when its record does not say", () => {
    const on = bench();
    const job = submit(on, { keep: true });
    on.finish();
    for (const host of ["a", "b"]) assert.equal(dropOf(on.master, host, { job, intermediate: true }), null);
    const other = submit(on);
    on.finish();
    const ended = on.master.ended.get(other);
    assert.ok(ended !== undefined);
    const { keep: _keep, ...older } = ended;
    on.master.ended.set(other, older);
    assert.equal(dropOf(on.master, "b", { job: other, intermediate: true }), null);
  });

  it("but for the pack go from a node that holds it", () => {
    const on = bench();
    const job = submit(on, {}, { holders: ["b"] });
    on.finish();
    assert.equal(dropOf(on.master, "b", { job, intermediate: false }), null);
    assert.equal(dropOf(on.master, "b", { job, intermediate: true }), "intermediate");
  });

  it("of one that died keep what may be asked for", () => {
    const on = bench();
    const job = submit(on);
    on.handle({ kind: "job-killed", at: on.at, job });
    assert.equal(dropOf(on.master, "b", { job, intermediate: false }), null);
    assert.equal(dropOf(on.master, "b", { job, intermediate: true }), "intermediate");
  });

  it("all go when it was purged, also under the next master, and stay when it was cleaned or nobody knows it", () => {
    const on = bench();
    const [purged, cleaned] = [submit(on), submit(on)];
    on.finish();
    on.handle({ kind: "job-purged", at: on.at, job: purged });
    on.handle({ kind: "job-cleaned", at: on.at, job: cleaned });
    for (const master of [on.master, restoreMaster(JSON.parse(JSON.stringify(snapshotMaster(on.master))))]) {
      assert.equal(dropOf(master, "b", { job: purged, intermediate: false }), "all");
      assert.equal(dropOf(master, "b", { job: cleaned, intermediate: true }), null);
      assert.equal(dropOf(master, "b", { job: "never@1:2:3", intermediate: true }), null);
    }
  });

  it("of the last purged jobs are remembered, and on one machine of none", () => {
    const on = bench();
    const first = submit(on);
    on.handle({ kind: "job-purged", at: on.at, job: first });
    for (let i = 0; i < 10_000; i++) on.master.handle({ kind: "job-purged", at: on.at, job: `job@${i}` });
    assert.equal(on.master.purged.names().length, 10_000);
    assert.equal(dropOf(on.master, "b", { job: first, intermediate: true }), null);
    const alone = new Bench(["a"]);
    const job = alone.submit();
    alone.handle({ kind: "job-purged", at: alone.at, job });
    assert.deepEqual(alone.master.purged.names(), []);
  });
});
