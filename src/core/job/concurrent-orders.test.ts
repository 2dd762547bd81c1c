/**
 * All orders of a few mishaps, in small clusters: whatever comes first, nothing is at odds with itself, nothing waits for ever, and the
 * job ends well. Histories with everything else are the simulator's.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Run } from "../testing.ts";
import { Bench, failure, joined } from "../testing.ts";
import type { Grouping } from "./spec.ts";

/** Steps that are chosen; the rest is done without mishaps. */
const depth = 3;
const stepsMax = 200;

/** What can happen to a running attempt. */
const happenings: readonly ((bench: Bench, run: Run) => void)[] = [
  (bench, run) => bench.done(run, [0, 1]),
  // Other records, and another label than the first time.
  (bench, run) => bench.done(run, [1, 2], `other ${run.attempt}`),
  (bench, run) => bench.lose(run),
  (bench, run) => bench.fail(run, failure("worker-exit", `attempt ${run.attempt}`)),
  // The operator takes slots away.
  (bench) => bench.handle({ kind: "config-saved", at: bench.at, table: [["a", 1]] }),
  (bench, run) => (hasRead(bench, run) ? bench.inputLost(run, 0) : bench.lose(run)),
];

function hasRead(bench: Bench, { job, stage }: Run): boolean {
  return stage > 0 && bench.job(job).stages[stage - 1]?.outputs.has(0) === true;
}

/** Plays the choices, then ends the job. Says how many choices there were at each step. */
function play(choices: readonly number[], slots: number, pipeline: readonly Grouping[]): number[] {
  const bench = new Bench([joined("a", { slots, queueDepth: 2 })]);
  const job = bench.submit({ inputs: 2, pipeline, concurrent: true, retries: 100 });
  const open: number[] = [];
  for (let step = 0; step < stepsMax; step++) {
    if (!bench.master.jobs.has(job)) {
      assert.equal(bench.master.info(job)?.status, "ready", bench.master.info(job)?.reason ?? "");
      return open;
    }
    // An attempt that waits for inputs cannot be done before its stage is closed.
    const able = bench.runs.filter(({ stage }) => bench.job(job).stages[stage]?.awaitsInput !== true);
    const choice = choices[step];
    if (choice !== undefined && bench.runs.length > 0) {
      open.push(bench.runs.length * happenings.length);
      const run = bench.runs[Math.floor(choice / happenings.length)] as Run;
      const what = choice % happenings.length;
      happenings[what < 2 && !able.includes(run) ? 2 : what]?.(bench, run);
    } else if (able[0] !== undefined) bench.done(able[0], [0, 1]);
    else if (bench.master.timers().length > 0) bench.wake();
    else throw new Error(`nothing goes on after ${choices.join()}: ${bench.running().join()}`);
  }
  throw new Error(`no end after ${choices.join()}`);
}

/** All lists of choices, deepest last. */
function explore(choices: number[], slots: number, pipeline: readonly Grouping[]): number {
  const width = choices.length === depth ? 0 : (play([...choices, 0], slots, pipeline)[choices.length] ?? 0);
  if (width === 0) {
    play(choices, slots, pipeline);
    return 1;
  }
  let histories = 0;
  for (let choice = 0; choice < width; choice++) histories += explore([...choices, choice], slots, pipeline);
  return histories;
}

for (const [slots, pipeline] of [
  [1, ["split", "group_label"]],
  [2, ["split", "group_label"]],
  [2, ["split", "split", "group_all"]],
] as const) {
  it(`${pipeline.join(", ")} with ${slots} slots ends in every order of ${depth} mishaps`, () => {
    assert.ok(explore([], slots, pipeline) > 400);
  });
}
