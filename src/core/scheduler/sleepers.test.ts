import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { SchedulerSpec } from "../job/spec.ts";
import { waiting } from "../job/stage.ts";
import { Bench, failure, jobSpec, joined } from "../testing.ts";
import { choose, held } from "./choose.ts";

const hosts = ["a", "b", "c"];
const marks = [{}, { disk: "ssd" }];

type Step =
  | {
      readonly kind: "submit";
      readonly on: readonly string[];
      readonly how: Partial<SchedulerSpec>;
      readonly mark: number;
    }
  | { readonly kind: "done" | "fail" | "lose"; readonly which: number }
  | { readonly kind: "join"; readonly host: string; readonly mark: number; readonly slots: number }
  | { readonly kind: "label"; readonly host: string; readonly mark: number }
  | { readonly kind: "drain" | "undrain" | "lost"; readonly host: string }
  | { readonly kind: "pass"; readonly ms: number };

const host = fc.constantFrom(...hosts);
const mark = fc.nat(marks.length - 1);
const how = fc.constantFrom({}, { forceLocal: true }, { forceRemote: true }, { maxCores: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("submit" as const), on: fc.subarray(hosts), how, mark }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom("done" as const, "fail", "lose"), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("join" as const), host, mark, slots: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("label" as const), host, mark }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("drain" as const, "undrain", "lost"), host }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(10, 1_500, 4_000) }) },
);

function take(bench: Bench, one: Step): void {
  const at = bench.at;
  switch (one.kind) {
    case "submit":
      bench.submit({
        inputs: 3,
        hosts: one.on.length === 0 ? [null] : one.on,
        scheduler: one.how,
        labels: marks[one.mark] ?? {},
      });
      return;
    case "join":
      bench.handle(joined(one.host, { slots: one.slots, labels: marks[one.mark] ?? {} }));
      return;
    case "label":
      bench.handle({ kind: "node-updated", at, host: one.host, labels: marks[one.mark] ?? {} });
      return;
    case "drain":
      bench.handle({ kind: "node-draining", at, host: one.host });
      return;
    case "undrain":
      bench.handle({ kind: "node-undrained", at, host: one.host });
      return;
    case "lost":
      bench.handle({ kind: "node-lost", at, host: one.host, reason: "silent" });
      bench.runs = bench.runs.filter((run) => run.host !== one.host);
      return;
    case "pass":
      bench.pass(one.ms);
      if (one.ms > 1_000 && bench.master.timers().length > 0) bench.wake();
      return;
    default: {
      const run = bench.runs[one.which % Math.max(1, bench.runs.length)];
      if (run === undefined) return;
      if (one.kind === "done") bench.done(run);
      else if (one.kind === "fail") bench.fail(run, failure("user-error"));
      else bench.lose(run);
    }
  }
}

/** Jobs that could start a task at once, and were not asked. */
function overslept({ master, at }: Bench): string[] {
  const nodes = master.cluster.withRoom();
  if (nodes.length === 0) return [];
  return [...master.jobs.values()]
    .filter((job) => {
      if (!job.hungry || job.current()?.queue.anyPicky === true || (job.current()?.count(waiting) ?? 0) === 0)
        return false;
      const choice = choose(job, nodes, at, true);
      return choice !== null && choice !== held;
    })
    .map(({ name }) => name);
}

describe("jobs that can use none of the nodes with room", () => {
  it("are served as soon as anything lets them: no slot stands idle that a waiting task could use", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom("fair" as const, "fifo" as const),
        (steps, policy) => {
          const bench = new Bench([joined("a"), joined("b", { slots: 1, labels: { disk: "ssd" } })], { policy });
          for (const one of steps) {
            take(bench, one);
            assert.deepEqual(overslept(bench), [], `after ${JSON.stringify(one)}`);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("are not looked at when a task of another job ends", () => {
    const bench = new Bench([joined("busy", { slots: 1 }), joined("free", { slots: 60 })]);
    bench.submit({ inputs: 1, hosts: ["busy"], scheduler: { forceLocal: true }, pipeline: ["split"] });
    let looks = 0;
    const spec = jobSpec({ inputs: 1, hosts: ["busy"], pipeline: ["split"] });
    const scheduler = {
      maxCores: 1,
      forceRemote: false,
      get forceLocal(): boolean {
        looks++;
        return true;
      },
    };
    for (let n = 0; n < 200; n++) {
      const job = bench.master.nextName("waits", bench.at);
      bench.handle({ kind: "job-submitted", at: bench.at, job, spec: { ...spec, scheduler } });
    }
    const other = bench.submit({ inputs: 50, pipeline: ["split"] });
    const before = looks;
    for (let n = 0; n < 40; n++)
      bench.done(bench.runs.find(({ job }) => job === other) ?? assert.fail("it has no run"));
    assert.equal(looks, before);
    const [first] = bench.runs.filter((run) => run.host === "busy");
    bench.done(first ?? assert.fail("nothing runs there"));
    assert.equal(bench.runs.filter((run) => run.host === "busy").length, 1, "the next of them has the slot");
  });

  it("are looked at again when a node that had room already becomes one that they can use", () => {
    const bench = new Bench([joined("a")]);
    const job = bench.submit({ inputs: 1, labels: { disk: "ssd" }, pipeline: ["split"] });
    assert.equal(bench.running().length, 0);
    bench.handle({ kind: "node-updated", at: bench.at, host: "a", labels: { disk: "ssd" } });
    assert.deepEqual(
      bench.runs.map((run) => [run.job, run.host]),
      [[job, "a"]],
    );
  });
});
