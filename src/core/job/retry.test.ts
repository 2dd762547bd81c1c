import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { restoreMaster, snapshotMaster } from "../snapshot.ts";
import type { Run } from "../testing.ts";
import { Bench, failure, joined } from "../testing.ts";
import { lostMax } from "./retry.ts";

const only = (bench: Bench): Run => {
  assert.equal(bench.runs.length, 1, bench.running().join());
  return bench.runs[0] as Run;
};
const elsewhere = failure("data-error", "no such blob", "elsewhere");

/** The node's process is started anew: same disk, no attempts. */
function restart(bench: Bench, host: string): void {
  bench.runs = bench.runs.filter((run) => run.host !== host);
  bench.handle(joined(host, { attempts: [] }));
}

describe("a task whose node's process restarts", () => {
  it("is tried again at once, a hundred times, and is not to blame", () => {
    const bench = new Bench();
    const job = bench.submit({ inputs: 1, pipeline: ["split"] });
    for (let n = 0; n < lostMax; n++) {
      assert.equal(only(bench).attempt, n);
      restart(bench, "a");
      assert.deepEqual(bench.master.timers(), [], "nobody waits");
    }
    const task = bench.master.tasks(job)?.tasks[0];
    assert.deepEqual([task?.lost, task?.failures, task?.attemptsMade], [lostMax, 0, lostMax + 1]);
    bench.done(only(bench));
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("is given up beyond that", () => {
    const bench = new Bench();
    const job = bench.submit({ inputs: 1, pipeline: ["split"] });
    for (let n = 0; n <= lostMax; n++) restart(bench, "a");
    assert.match(bench.master.info(job)?.reason ?? "", /lost 101 times/);
  });

  it("is not delayed by restarts when its worker vanishes later", () => {
    const bench = new Bench();
    bench.submit({ inputs: 1, pipeline: ["split"] });
    for (let n = 0; n < 50; n++) restart(bench, "a");
    bench.lose(only(bench));
    assert.equal(only(bench).attempt, 51);
  });

  it("is not run again if it was done, nor if its node still has it", () => {
    const bench = new Bench();
    const job = bench.submit({ inputs: 2, pipeline: ["split"] });
    bench.done(bench.runs[0] as Run);
    bench.handle(joined("a", { attempts: bench.runs }));
    assert.deepEqual(bench.running(), ["0:1#0@a"]);
    restart(bench, "a");
    assert.deepEqual(bench.running(), ["0:1#1@a"]);
    assert.equal(bench.master.info(job)?.stages[0]?.done, 1);
  });
});

describe("the same failure on several nodes", () => {
  const nodes = (n: number): Bench => new Bench(["a", "b", "c", "d"].slice(0, n).map((host) => joined(host)));
  const fail = (bench: Bench, times: number, message?: (n: number) => string): string | null | undefined => {
    const job = bench.submit({ inputs: 1, pipeline: ["split"], retries: 20 });
    for (let n = 0; n < times; n++) {
      if (bench.runs.length === 0) bench.wake();
      bench.fail(only(bench), { ...elsewhere, message: message?.(n) ?? elsewhere.message });
    }
    return bench.master.info(job)?.reason;
  };

  it("ends the job on the third node, and the reason names them", () => {
    assert.equal(fail(nodes(4), 2), null);
    assert.equal(
      fail(nodes(4), 3),
      "task s0:0 failed on c: Error: no such blob (it failed in the same way on a, b and c)",
    );
  });

  it("ends it on the second one if there are no more that can run the task", () => {
    assert.match(fail(nodes(2), 2) ?? "", /in the same way on a and b/);
    const bench = nodes(4);
    bench.handle({ kind: "node-blacklisted", at: bench.at, host: "c" });
    bench.handle({ kind: "config-saved", at: bench.at, table: [["d", 0]] });
    assert.match(fail(bench, 2) ?? "", /in the same way on a and b/);
  });

  it("is no reason while the failures differ, or on a single node, where only the retries count", () => {
    assert.equal(
      fail(nodes(4), 8, (n) => `no ${n}`),
      null,
    );
    assert.equal(fail(nodes(1), 8), null);
  });

  it("is remembered by a master that is started anew", () => {
    const bench = nodes(3);
    const job = bench.submit({ inputs: 1, pipeline: ["split"], retries: 20 });
    for (let n = 0; n < 2; n++) bench.fail(only(bench), elsewhere);
    const restored = restoreMaster(JSON.parse(JSON.stringify(snapshotMaster(bench.master))));
    bench.wake();
    restored.handle(bench.events.at(-2) as never);
    restored.handle(bench.events.at(-1) as never);
    const { stage, task, attempt } = only(bench);
    restored.handle({ kind: "task-failed", at: bench.at, job, stage, task, attempt, failure: elsewhere });
    assert.match(restored.info(job)?.reason ?? "", /in the same way on a, b and c/);
  });
});

describe("a task whose input is no text, or cannot be decompressed", () => {
  for (const code of ["not-text", "bad-compressed"]) {
    it(`is tried twice (${code}), on another node if there is one`, () => {
      const bench = new Bench([joined("a"), joined("b"), joined("c")]);
      const job = bench.submit({ inputs: 1, retries: 3 });
      bench.fail(only(bench), failure(code, "x.gz", "elsewhere"));
      assert.notEqual(only(bench).host, "a");
      bench.fail(only(bench), failure(code, "x.gz: otherwise", "elsewhere"));
      assert.match(bench.master.info(job)?.reason ?? "", new RegExp(`${code} happened 2 times`));
    });
  }
});

describe("the operator's max_failure_rate", () => {
  it("ends a task's tries, whatever the job allows", () => {
    const bench = new Bench();
    bench.handle({ kind: "settings-saved", at: bench.at, changes: { maxFailureRate: 1 } });
    const job = bench.submit({ inputs: 1, retries: 50 });
    bench.fail(only(bench), failure("comm-error", "one"));
    assert.equal(bench.master.info(job)?.status, "active");
    bench.fail(only(bench), failure("comm-error", "two"));
    assert.match(bench.master.info(job)?.reason ?? "", /failed 2 times, 1 retry is allowed/);
  });
});

describe("the log of a job", () => {
  it("tells in one line of all tasks that a node lost at once, and of a single one by its name", () => {
    const bench = new Bench([joined("a", { slots: 2, queueDepth: 500 })]);
    const job = bench.submit({ inputs: 1_000, pipeline: ["split"] });
    const many = (): string[] => bench.log(job).filter((line) => line.includes("lost on a"));
    bench.handle(joined("a", { slots: 2, queueDepth: 500 }));
    assert.deepEqual(many(), [
      "WARNING: 1000 tasks lost on a (s0:0, s0:1, s0:2, s0:3, s0:4 and 995 more), queued there or running: the node was started anew",
    ]);
    const lost = bench.master.tasks(job, { limit: 1_000 })?.tasks.map((task) => task.lost);
    assert.deepEqual(new Set(lost), new Set([1]));
    const single = bench.submit({ inputs: 1, pipeline: ["split"] });
    bench.handle({ kind: "job-killed", at: bench.at, job });
    bench.handle({ kind: "node-lost", at: bench.at, host: "a", reason: "silence" });
    assert.deepEqual(
      bench.log(single).filter((line) => line.includes("lost on")),
      ["WARNING: [s0:0] lost on a: silence"],
    );
  });

  it("counts as people do", () => {
    const bench = new Bench(["a"]);
    const job = bench.submit({ inputs: 1, pipeline: ["split"], retries: 1 });
    bench.fail(bench.runs[0] as Run, failure("comm-error", "one"));
    bench.fail(bench.runs[0] as Run, failure("comm-error", "two"));
    const lines = bench.log(job);
    assert.ok(lines.includes('Task s0:0 failed on "a", 1 failure so far. Retrying.'));
    assert.ok(lines.includes("ERROR: [s0:0] Task s0:0 failed 2 times: it failed 2 times, 1 retry is allowed."));
  });
});
