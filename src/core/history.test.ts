import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Command, Log } from "./commands.ts";
import { MasterMachine } from "./master.ts";
import { restoreMaster, snapshotMaster } from "./snapshot.ts";
import { Bench, failure, joined } from "./testing.ts";

const linesOf = (commands: readonly Command[], job: string): number[] =>
  commands.filter((one): one is Log => one.kind === "log" && one.job === job).map(({ line }) => line);

describe("the lines of jobs' logs", () => {
  /** Two jobs, with failures, losses and a node that dies, to their ends. */
  const story = (): Bench => {
    const bench = new Bench(["a", "b"]);
    bench.submit({ inputs: 4 });
    bench.submit({ inputs: 3 });
    bench.fail(bench.runs[0] as never, failure("comm-error"));
    bench.lose(bench.runs[0] as never);
    bench.runs = bench.runs.filter(({ host }) => host !== "b");
    bench.handle({ kind: "node-lost", at: bench.at, host: "b", reason: "silence" });
    bench.handle(joined("b"));
    bench.finish([0, 1]);
    return bench;
  };

  it("are numbered without a gap, in the order in which they are given", () => {
    const bench = story();
    for (const { name } of bench.master.list()) {
      const lines = linesOf(bench.commands, name);
      assert.ok(lines.length > 20);
      assert.deepEqual(
        lines,
        lines.map((_, n) => n),
      );
      assert.equal(bench.master.ended.get(name)?.lines, lines.length);
    }
  });

  it("are the same again when a new master replays events, after any snapshot", () => {
    const bench = story();
    const all = bench.commands.filter(({ kind }) => kind === "log");
    for (let cut = 0; cut <= bench.events.length; cut++) {
      const before = new MasterMachine();
      for (const event of bench.events.slice(0, cut)) before.handle(event);
      const after = restoreMaster(JSON.parse(JSON.stringify(snapshotMaster(before))));
      const again = bench.events.slice(cut).flatMap((event) => after.handle(event));
      const lines = again.filter(({ kind }) => kind === "log");
      assert.deepEqual(lines, all.slice(all.length - lines.length));
    }
  });
});

describe("the list of jobs", () => {
  it("is the same array until something in it changes", () => {
    const bench = new Bench();
    const job = bench.submit({ inputs: 2 });
    const list = bench.master.list();
    bench.done(bench.runs[0] as never);
    bench.handle({ kind: "node-blacklisted", at: bench.at, host: "x" });
    assert.equal(bench.master.list(), list);
    const version = bench.master.listVersion;
    bench.finish();
    assert.ok(bench.master.listVersion > version);
    assert.deepEqual(
      bench.master.list().map(({ status }) => status),
      ["ready"],
    );
    bench.submit();
    assert.equal(bench.master.list().length, 2);
    bench.handle({ kind: "job-purged", at: bench.at, job });
    assert.equal(bench.master.list().length, 1);
  });
});

describe("jobs to be collected", () => {
  it("are those that ended long enough ago, the oldest end first", () => {
    const bench = new Bench();
    const ends: number[] = [];
    const jobs = [0, 1, 2].map(() => {
      const job = bench.submit({ inputs: 1 });
      bench.at += 1_000;
      bench.finish();
      ends.push(bench.master.info(job)?.endedAt ?? 0);
      return job;
    });
    bench.submit();
    const at = (ends[1] as number) + 5_000;
    assert.deepEqual(bench.master.collectable(at, 5_000), [jobs[0]]);
    assert.deepEqual(bench.master.collectable(at + 1, 5_000), [jobs[0], jobs[1]]);
    assert.deepEqual(bench.master.collectable(at, 0), jobs);
  });
});

describe("what is told of a job", () => {
  it("leaves the inputs out if nobody asks, and gathers them once", () => {
    const bench = new Bench();
    const job = bench.submit({ inputs: 3 });
    assert.deepEqual(bench.master.info(job, { inputs: false })?.inputs, []);
    assert.equal(bench.master.info(job)?.inputs, bench.master.info(job)?.inputs);
    assert.equal(bench.master.info(job)?.inputs.length, 3);
  });
});
