import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MasterOptions } from "../master.ts";
import { MasterMachine } from "../master.ts";
import type { JobSketch, Run } from "../testing.ts";
import { Bench, joined } from "../testing.ts";

/** Lets each job's tasks take so long, until nothing runs or the time is over; gives the milliseconds of slots that each job got. */
function play(bench: Bench, taskMs: ReadonlyMap<string, number>, untilMs: number): Map<string, number> {
  const got = new Map<string, number>();
  const started = new Map<Run, number>();
  const end = bench.at + untilMs;
  for (;;) {
    for (const run of bench.runs) if (!started.has(run)) started.set(run, bench.at);
    const ends = (run: Run): number => (started.get(run) as number) + (taskMs.get(run.job) as number);
    const next = bench.runs.reduce<Run | undefined>(
      (a, b) => (a === undefined || ends(b) < ends(a) ? b : a),
      undefined,
    );
    if (next === undefined || ends(next) > end) return got;
    bench.at = Math.max(bench.at, ends(next));
    got.set(next.job, (got.get(next.job) ?? 0) + (taskMs.get(next.job) as number));
    bench.done(next);
  }
}

function shares(
  options: MasterOptions,
  slots: number,
  taskMs: readonly number[],
  untilMs: number,
  sketch: JobSketch = {},
) {
  const bench = new Bench([joined("a", { slots })], options);
  const jobs = taskMs.map(() => bench.submit({ inputs: 1_000, pipeline: ["split"], ...sketch }));
  const got = play(bench, new Map(jobs.map((job, n) => [job, taskMs[n] as number])), untilMs);
  return jobs.map((job) => (got.get(job) ?? 0) / (slots * untilMs));
}

const near = (actual: number | undefined, wanted: number, by: number): void =>
  assert.ok(Math.abs((actual ?? Number.NaN) - wanted) <= by, `${actual} is not near ${wanted}`);

describe("the fair policy", () => {
  it("gives jobs equal parts of the slots' time, also where that is less than a slot", () => {
    for (const share of shares({ policy: "fair" }, 1, [50, 50, 50], 15_000)) near(share, 1 / 3, 0.03);
    for (const share of shares({ policy: "fair" }, 3, [50, 50], 15_000)) near(share, 1 / 2, 0.03);
  });

  it("gives a job with long tasks no more than one with short tasks", () => {
    for (const share of shares({ policy: "fair" }, 1, [1_000, 50], 60_000)) near(share, 1 / 2, 0.05);
    for (const share of shares({ policy: "fair" }, 3, [700, 50], 30_000)) near(share, 1 / 2, 0.06);
  });

  it("lets a job catch up that got less than its share, the sooner the larger alpha", () => {
    const lead = (alpha: number): number => {
      const bench = new Bench([joined("a", { slots: 8 })], { policy: "fair", alpha });
      const [one, two] = [0, 1].map(() => bench.submit({ inputs: 1_000, pipeline: ["split"] })) as [string, string];
      // The first took all slots before the second came, and its tasks are long: two waits for a minute.
      const early = bench.runs.slice();
      assert.deepEqual([...new Set(early.map(({ job }) => job))], [one]);
      bench.pass(60_000);
      for (const run of early) bench.done(run);
      return bench.job(two).live - bench.job(one).live;
    };
    assert.ok(lead(0.05) >= 2, `${lead(0.05)}`);
    assert.ok(lead(0.0001) <= 1, `${lead(0.0001)}`);
    assert.ok(lead(1) >= 0);
  });

  it("serves a new job soon, whatever older ones are owed", () => {
    const bench = new Bench([joined("a", { slots: 8 })], { policy: "fair", alpha: 0.1 });
    const hog = bench.submit({ inputs: 1_000, pipeline: ["split"] });
    const owed = [0, 1, 2].map(() => bench.submit({ inputs: 1_000, pipeline: ["split"] }));
    bench.pass(600_000);
    const fresh = bench.submit({ inputs: 1, pipeline: ["split"] });
    const old = bench.runs.filter(({ job }) => job === hog);
    for (const run of old.slice(0, 7)) bench.done(run);
    assert.ok(
      bench.runs.some(({ job }) => job === fresh),
      `${owed.map((job) => bench.job(job).live)}`,
    );
  });

  it("does not owe a job what it could not use, nor blames one for slots that nobody wanted", () => {
    const bench = new Bench([joined("a", { slots: 8 })], { policy: "fair", alpha: 0.5 });
    const modest = bench.submit({ inputs: 1_000, pipeline: ["split"], scheduler: { maxCores: 1 } });
    const greedy = bench.submit({ inputs: 1_000, pipeline: ["split"] });
    assert.deepEqual([bench.job(modest).live, bench.job(greedy).live], [1, 7]);
    bench.pass(600_000);
    const late = bench.submit({ inputs: 1_000, pipeline: ["split"] });
    for (const run of bench.runs.filter(({ job }) => job === greedy)) bench.done(run);
    // Of seven slots the two get equal parts: what happened before is nobody's debt.
    assert.ok(Math.abs(bench.job(greedy).live - bench.job(late).live) <= 1);
  });

  it("decides the same again for the same history", () => {
    const history = () => {
      const bench = new Bench([joined("a", { slots: 3 })], { alpha: 0.3 });
      const jobs = [40, 70, 110].map((ms) => [bench.submit({ inputs: 500, pipeline: ["split"] }), ms] as const);
      play(bench, new Map(jobs), 5_000);
      return bench.events;
    };
    assert.deepEqual(history(), history());
  });

  it("refuses an alpha that weighs nothing, or more than all", () => {
    for (const alpha of [0, -1, 1.01, Number.NaN])
      assert.throws(() => new MasterMachine({ alpha }), { code: "bad-option" });
  });
});

describe("the fifo policy", () => {
  it("gives all to the oldest job, and what that cannot use to the next", () => {
    assert.deepEqual(shares({ policy: "fifo" }, 2, [50, 50], 10_000).map(Math.round), [1, 0]);
    const bench = new Bench([joined("a", { slots: 4 })], { policy: "fifo" });
    const [one, two] = [
      bench.submit({ inputs: 9, pipeline: ["split"], scheduler: { maxCores: 1 } }),
      bench.submit({ inputs: 9, pipeline: ["split"] }),
    ];
    assert.deepEqual([bench.job(one).live, bench.job(two).live], [1, 3]);
  });
});
