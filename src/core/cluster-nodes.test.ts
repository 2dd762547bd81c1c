import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { failedTasksMin, failingMs, failuresMin, flappingMs, lossesMin } from "./scheduler/quarantine.ts";
import { restoreMaster, snapshotMaster } from "./snapshot.ts";
import { Bench, failure, joined } from "./testing.ts";

const standing = (bench: Bench, host: string): string | undefined => {
  const { cluster } = bench.master;
  const node = cluster.node(host);
  return node === undefined ? undefined : cluster.standing(node);
};

const hosts = (bench: Bench): string[] => [...new Set(bench.runs.map(({ host }) => host))].sort();

/** Fails everything on the host and lets everything else succeed, until it is in quarantine or nothing runs. Gives the failures. */
function failAllOn(bench: Bench, host: string): number {
  let failures = 0;
  for (let run = bench.runs[0]; run !== undefined && standing(bench, host) === "open"; run = bench.runs[0]) {
    if (run.host === host) {
      failures++;
      bench.fail(run, failure("data-error", `disk error ${failures}`, "elsewhere"));
    } else bench.done(run);
  }
  return failures;
}

describe("a node that fails everything", () => {
  it("is in quarantine after a few failures, and the job ends without it", () => {
    const bench = new Bench(["a", "b", "bad"]);
    const job = bench.submit({ inputs: 300, pipeline: ["split"] });
    const failures = failAllOn(bench, "bad");
    assert.equal(standing(bench, "bad"), "quarantined");
    assert.equal(failures, failuresMin);
    assert.match(bench.log(job).join("\n"), /node bad gets no tasks for 0:01:00.000: 8 tasks failed there in a row/);
    while (bench.runs.length > 0)
      for (const run of [...bench.runs]) {
        if (run.host === "bad") bench.fail(run, failure("data-error", "disk error", "elsewhere"));
        else bench.done(run);
      }
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("is tried again after a minute, then after two, and each success takes a doubling back", () => {
    const bench = new Bench(["a", joined("bad", { slots: 1 })]);
    bench.submit({ inputs: 2_000, pipeline: ["split"] });
    failAllOn(bench, "bad");
    const until = (): number => bench.master.cluster.node("bad")?.health?.until ?? 0;
    assert.equal(until() - bench.at, failingMs - 1);
    bench.wake();
    assert.equal(standing(bench, "bad"), "open");
    assert.equal(failAllOn(bench, "bad"), 1);
    assert.equal(until() - bench.at, 2 * failingMs - 1);
    bench.wake();
    const run = bench.runs.find(({ host }) => host === "bad");
    assert.ok(run !== undefined);
    bench.done(run);
    assert.equal(failAllOn(bench, "bad"), failuresMin);
    assert.equal(until() - bench.at, 2 * failingMs - 1);
  });

  it("is let out by whitelisting it, and its past is forgotten", () => {
    const bench = new Bench(["a", "bad"]);
    bench.submit({ inputs: 300, pipeline: ["split"] });
    failAllOn(bench, "bad");
    bench.handle({ kind: "node-whitelisted", at: bench.at, host: "bad" });
    assert.equal(standing(bench, "bad"), "open");
    assert.deepEqual(bench.master.timers(), []);
    assert.equal(failAllOn(bench, "bad"), failuresMin);
  });

  it("is not to blame when tasks fail everywhere", () => {
    const bench = new Bench(["a", "b", "c"]);
    bench.submit({ inputs: 60, pipeline: ["split"], retries: 1_000 });
    for (let n = 0; n < 60 && bench.runs.length > 0; n++)
      bench.fail(bench.runs[0] as never, failure("comm-error", `${n}`));
    for (const host of ["a", "b", "c"]) assert.equal(standing(bench, host), "open");
  });

  it("is not to blame for one task that fails there again and again", () => {
    const bench = new Bench(["a", "b"]);
    const job = bench.submit({
      inputs: 2,
      hosts: ["a"],
      pipeline: ["split"],
      scheduler: { forceLocal: true },
      retries: 99,
    });
    const [one, other] = bench.runs;
    bench.done(other as never);
    for (let run = one; run !== undefined && bench.master.jobs.has(job); run = bench.runs[0]) {
      bench.fail(run, failure("comm-error", "no route"));
      if (bench.runs.length === 0 && bench.master.timers().length > 0) bench.wake();
      if (bench.job(job).stages[0]?.failed === failuresMin * failedTasksMin) break;
    }
    assert.equal(standing(bench, "a"), "open");
  });

  it("stays in use if it is the last one, and comes back when the others go", () => {
    const alone = new Bench(["bad"]);
    alone.submit({ inputs: 40, pipeline: ["split"], retries: 99 });
    for (let n = 0; n < 20; n++) alone.fail(alone.runs[0] as never, failure("comm-error", `${n}`));
    assert.equal(standing(alone, "bad"), "open");

    const bench = new Bench(["a", "bad"]);
    bench.submit({ inputs: 300, pipeline: ["split"] });
    failAllOn(bench, "bad");
    bench.runs = bench.runs.filter(({ host }) => host !== "a");
    bench.handle({ kind: "node-lost", at: bench.at, host: "a", reason: "silence" });
    assert.equal(standing(bench, "bad"), "open");
    assert.deepEqual(hosts(bench), ["bad"]);
  });

  it("is still in quarantine under a master that starts from a snapshot", () => {
    const bench = new Bench(["a", "bad"]);
    bench.submit({ inputs: 300, pipeline: ["split"] });
    failAllOn(bench, "bad");
    const master = restoreMaster(JSON.parse(JSON.stringify(snapshotMaster(bench.master))));
    const node = master.cluster.node("bad");
    assert.ok(node !== undefined);
    assert.equal(master.cluster.standing(node), "quarantined");
    assert.deepEqual(master.timers(), bench.master.timers());
  });
});

describe("a node that comes and goes", () => {
  const flap = (bench: Bench, times: number): void => {
    for (let n = 0; n < times; n++) {
      bench.runs = bench.runs.filter(({ host }) => host !== "b");
      bench.handle({ kind: "node-lost", at: bench.at, host: "b", reason: "silence" });
      bench.handle(joined("b", { at: bench.at }));
    }
  };

  it("waits after the third time, and longer each time", () => {
    const bench = new Bench(["a", "b"]);
    bench.submit({ inputs: 30 });
    flap(bench, lossesMin - 1);
    assert.deepEqual(hosts(bench), ["a", "b"]);
    flap(bench, 1);
    assert.deepEqual(hosts(bench), ["a"]);
    assert.equal((bench.master.timers()[0]?.at ?? 0) - bench.at, flappingMs - 1);
    flap(bench, 1);
    assert.equal((bench.master.timers()[0]?.at ?? 0) - bench.at, 2 * flappingMs - 1);
    bench.wake();
    assert.deepEqual(hosts(bench), ["a", "b"]);
  });

  it("waits as well when its process is started anew again and again, but not when masters are", () => {
    const bench = new Bench(["a", joined("b", { session: "0" })]);
    bench.submit({ inputs: 30 });
    for (let n = 0; n < 9; n++) bench.handle(joined("b", { at: bench.at, session: "0" }));
    assert.equal(standing(bench, "b"), "open");
    for (let n = 1; n <= lossesMin; n++) bench.handle(joined("b", { at: bench.at, session: String(n) }));
    assert.equal(standing(bench, "b"), "quarantined");
    assert.match(bench.master.cluster.node("b")?.health?.reason ?? "", /came and went 3 times within 10 minutes/);
  });
});

describe("a node that is drained", () => {
  it("gets nothing new, finishes what it has, also after it joined again, until it is undrained", () => {
    const bench = new Bench(["a"]);
    const job = bench.submit({ inputs: 5 });
    bench.handle({ kind: "node-draining", at: bench.at, host: "a" });
    bench.done(bench.runs[0] as never);
    assert.equal(bench.runs.length, 1);
    assert.deepEqual(bench.master.reasons(job), ["all nodes are being drained"]);
    bench.handle(joined("a", { attempts: bench.runs }));
    bench.done(bench.runs[0] as never);
    assert.equal(bench.runs.length, 0);
    bench.handle({ kind: "node-undrained", at: bench.at, host: "a" });
    assert.equal(bench.runs.length, 2);
  });

  it("can be removed when nothing runs there, no active job reads from it and no result lies there", () => {
    const bench = new Bench(["a", "b"]);
    assert.equal(bench.master.removal("nobody"), undefined);
    const job = bench.submit({ inputs: 4 });
    const state = { host: "a", draining: true, attempts: 2, jobs: [] as string[], resultsOfJobs: 0, safe: false };
    bench.handle({ kind: "node-draining", at: bench.at, host: "a" });
    assert.deepEqual(bench.master.removal("a"), state);
    for (const run of bench.runs.filter(({ host }) => host === "a")) bench.done(run);
    assert.deepEqual(bench.master.removal("a"), { ...state, attempts: 0, jobs: [job] });
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
    assert.deepEqual(bench.master.removal("a"), { ...state, attempts: 0, safe: true });
    assert.equal(bench.master.removal("b")?.resultsOfJobs, 1);
    bench.handle({ kind: "job-purged", at: bench.at, job });
    assert.equal(bench.master.removal("b")?.resultsOfJobs, 0);
    assert.equal(bench.master.removal("b")?.safe, false, "tasks may start there");
  });

  it("is needed as long as it keeps the pack of an active job", () => {
    const bench = new Bench(["a", joined("b", { slots: 0 })]);
    const spec = bench.job(bench.submit()).spec;
    const job = bench.master.nextName("job", bench.at);
    bench.handle({ kind: "job-submitted", at: bench.at, job, spec, holders: ["b"] });
    assert.deepEqual(bench.master.packHolders(job), ["b"]);
    assert.deepEqual(bench.master.removal("b")?.jobs, [job]);
    const restored = restoreMaster(JSON.parse(JSON.stringify(snapshotMaster(bench.master))));
    assert.deepEqual(restored.packHolders(job), ["b"]);
    bench.finish();
    assert.deepEqual(bench.master.packHolders(job), ["b"]);
    assert.deepEqual(bench.master.removal("b")?.jobs, []);
  });

  it("holds the pack of a job since it fetched it, also under the next master, until it comes with another disk", () => {
    const bench = new Bench(["a", "b", "c"]);
    const spec = bench.job(bench.submit()).spec;
    const job = bench.master.nextName("job", bench.at);
    bench.handle({ kind: "job-submitted", at: bench.at, job, spec, holders: ["a", "b"], packSha256: "feed" });
    bench.handle({ kind: "pack-held", at: bench.at, job, hosts: ["b", "c"] });
    const restored = restoreMaster(JSON.parse(JSON.stringify(snapshotMaster(bench.master))));
    for (const { packHolders, packSha256 } of [bench.master, restored].map((master) => ({
      packHolders: master.packHolders(job),
      packSha256: master.packSha256(job),
    })))
      assert.deepEqual([packHolders, packSha256], [["a", "b", "c"], "feed"]);
    bench.handle(joined("b", { incarnation: "2" }));
    assert.deepEqual(bench.master.packHolders(job), ["a", "c"]);
    bench.finish();
    assert.deepEqual([bench.master.packHolders(job), bench.master.packSha256(job)], [["a", "c"], "feed"]);
    assert.ok(!JSON.stringify(bench.master.info(job)).includes("feed"));
    bench.handle({ kind: "pack-held", at: bench.at, job: "gone@1", hosts: ["a"] });
  });

  it("is told to drop the pack of a purged job that never ran there", () => {
    const bench = new Bench(["a", joined("b", { slots: 0 })]);
    const spec = bench.job(bench.submit()).spec;
    const job = bench.master.nextName("job", bench.at);
    bench.handle({ kind: "job-submitted", at: bench.at, job, spec, holders: ["b"] });
    bench.finish();
    const [drop] = bench.handle({ kind: "job-purged", at: bench.at, job });
    assert.deepEqual(drop, { kind: "drop-files", job, hosts: ["a", "b"], scope: "all" });
  });
});

describe("what only this master knows of a node", () => {
  it("keeps tasks off one that is silent, until it is heard, and changes no event", () => {
    const bench = new Bench(["a", "b"]);
    const { cluster } = bench.master;
    cluster.suspect("b", true);
    const job = bench.submit({ inputs: 5 });
    assert.deepEqual(hosts(bench), ["a"]);
    cluster.suspect("a", true);
    assert.deepEqual(bench.master.reasons(job), ["all nodes are silent"]);
    bench.handle({ kind: "node-blacklisted", at: bench.at, host: "a" });
    assert.deepEqual(bench.master.reasons(job), ["no node takes tasks: 1 is blacklisted, 1 is silent"]);
    cluster.suspect("b", false);
    bench.pass(1);
    assert.deepEqual(hosts(bench), ["a", "b"]);
    assert.ok(!JSON.stringify(snapshotMaster(bench.master)).includes("suspect"));
  });

  it("keeps tasks off one whose disk is below its reserve, until it is an eighth above, and changes no event", () => {
    const bench = new Bench(["a", "b"]);
    const { cluster } = bench.master;
    const before = JSON.stringify(snapshotMaster(bench.master));
    assert.equal(cluster.noteDisk("b", { freeBytes: 800, reserveBytes: 800 }), false);
    assert.equal(cluster.noteDisk("b", { freeBytes: 799, reserveBytes: 800 }), true);
    assert.equal(JSON.stringify(snapshotMaster(bench.master)), before);
    assert.equal(standing(bench, "b"), "full");
    const job = bench.submit({ inputs: 5 });
    assert.deepEqual(hosts(bench), ["a"]);
    assert.equal(cluster.noteDisk("a", { freeBytes: 0, reserveBytes: 1 }), true);
    assert.deepEqual(bench.master.reasons(job), ["all nodes are out of room on their disks"]);
    assert.equal(cluster.noteDisk("b", { freeBytes: 899, reserveBytes: 800 }), false);
    assert.equal(standing(bench, "b"), "full");
    assert.equal(cluster.noteDisk("b", { freeBytes: 900, reserveBytes: 800 }), true);
    bench.pass(1);
    assert.deepEqual(hosts(bench), ["a", "b"]);
  });

  it("stays with a full disk that is lost and returns, and goes with one that is forgotten", () => {
    const bench = new Bench(["a", "b"]);
    bench.master.cluster.noteDisk("b", { freeBytes: 0, reserveBytes: 1 });
    bench.handle({ kind: "node-lost", at: bench.at, host: "b", reason: "silence" });
    bench.handle(joined("b"));
    assert.equal(standing(bench, "b"), "full");
    bench.handle({ kind: "node-lost", at: bench.at, host: "b", reason: "silence" });
    bench.handle({ kind: "node-forgotten", at: bench.at, host: "b" });
    bench.handle(joined("b"));
    assert.equal(standing(bench, "b"), "open");
  });

  it("keeps tasks off nodes that have not joined the master that took over", () => {
    const bench = new Bench(["a", "b"]);
    const { cluster } = bench.master;
    cluster.awaitNodes();
    const job = bench.submit({ inputs: 5 });
    assert.deepEqual(bench.master.reasons(job), ["all nodes are awaited by the master that has just taken over"]);
    bench.handle(joined("b"));
    assert.deepEqual(hosts(bench), ["b"]);
    assert.deepEqual([...cluster.awaited], ["a"]);
    bench.handle({ kind: "node-lost", at: bench.at, host: "a", reason: "silence" });
    assert.deepEqual([...cluster.awaited], []);
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("is forgotten of one that is lost and returns", () => {
    const bench = new Bench(["a", "b"]);
    bench.master.cluster.suspect("b", true);
    bench.handle({ kind: "node-lost", at: bench.at, host: "b", reason: "silence" });
    bench.handle(joined("b"));
    assert.equal(standing(bench, "b"), "open");
  });
});

describe("a job without nodes", () => {
  it("waits, says why, and goes on when one joins", () => {
    const bench = new Bench(["a", "b"]);
    const job = bench.submit({ inputs: 4 });
    bench.done(bench.runs[0] as never);
    bench.runs = [];
    for (const host of ["a", "b"]) bench.handle({ kind: "node-lost", at: bench.at, host, reason: "silence" });
    assert.deepEqual(bench.master.reasons(job), ["no nodes"]);
    bench.handle(joined("c"));
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });
});

describe("outputs that others cannot read", () => {
  it("are made again on another node, although theirs holds the input: it may be cut off from its peers only", () => {
    const bench = new Bench([joined("a", { slots: 1 }), joined("b", { slots: 1 })]);
    const job = bench.submit({ inputs: 2, hosts: ["a", "b"] });
    while (bench.job(job).stages.length === 1) bench.done(bench.runs[0] as never);
    const reduce = bench.runs[0];
    assert.ok(reduce !== undefined);
    const cutOff = bench.job(job).stages[0]?.outputs.host(0) ?? "";
    bench.inputLost(reduce, 0);
    const again = bench.runs.filter(({ stage }) => stage === 0);
    assert.deepEqual(
      again.map(({ task, host }) => [task, host === cutOff]),
      [[0, false]],
    );
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("are made again on the same node if there is no other", () => {
    const bench = new Bench(["a"]);
    const job = bench.submit({ inputs: 2 });
    while (bench.job(job).stages.length === 1) bench.done(bench.runs[0] as never);
    bench.inputLost(bench.runs[0] as never, 0);
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });
});

describe("a stage of group_node whose node vanishes in the middle", () => {
  it("runs again for what lay there, where that is made again, and for nothing else", () => {
    const bench = new Bench(["a", "b", "c"]);
    const job = bench.submit({ inputs: 6, hosts: ["a", "b", "c"], pipeline: ["split", "group_node", "group_all"] });
    while (bench.job(job).stages.length === 1) bench.done(bench.runs[0] as never);
    const lost = bench.job(job).stages[0];
    assert.ok(lost !== undefined);
    const onB = Array.from({ length: 6 }, (_, task) => task).filter((task) => lost.outputs.host(task) === "b");
    assert.equal(onB.length, 2);
    bench.runs = bench.runs.filter(({ host }) => host !== "b");
    bench.handle({ kind: "node-lost", at: bench.at, host: "b", reason: "silence" });
    const again = bench.runs.filter(({ stage }) => stage === 0).map(({ task }) => task);
    assert.deepEqual(
      again.sort((x, y) => x - y),
      onB,
    );
    bench.finish();
    const info = bench.master.info(job);
    assert.equal(info?.status, "ready");
    assert.equal(info?.stages[1]?.tasks, 2);
  });
});
