import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { MasterEvent } from "./events.ts";
import type { Grouping } from "./job/spec.ts";
import { MasterMachine } from "./master.ts";
import type { MasterSnapshot } from "./snapshot.ts";
import { restoreMaster, snapshotMaster, snapshotVersion } from "./snapshot.ts";
import { Bench, failure, joined } from "./testing.ts";

/** One thing that happens; numbers choose among what is there. */
const step = fc.record({
  what: fc.constantFrom(
    "submit",
    "done",
    "done",
    "done",
    "done",
    "differs",
    "fail",
    "signal",
    "lose",
    "input-lost",
    "wake",
    "node-lost",
    "join",
    "new-disk",
    "blacklist",
    "whitelist",
    "kill",
    "clean",
    "purge",
    "interrupt",
    "start",
    "config",
    "gc",
    "settings",
    "long",
    "drain",
    "suspect",
    "restart",
    "takeover",
    "full",
  ),
  which: fc.nat(1000),
  grouping: fc.constantFrom<Grouping>("split", "group_label", "group_node", "group_node_label", "group_all"),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Plays a history of random events, some of them senseless, as a cluster might produce them. */
function play(steps: readonly Step[]): Bench {
  const bench = new Bench([joined("a"), joined("b")]);
  for (const { what, which, grouping } of steps) {
    const run = bench.runs[which % Math.max(1, bench.runs.length)];
    const job = [...bench.master.jobs.keys(), ...bench.master.ended.keys()][which % 3];
    const host = which % 2 === 0 ? "a" : "b";
    const at = bench.at;
    if (what === "submit")
      bench.submit({ inputs: (which % 4) + 1, hosts: ["a", "b", null], pipeline: ["split", grouping, "group_label"] });
    else if (what === "done" && run !== undefined) bench.done(run, [which % 2, 2]);
    else if (what === "differs" && run !== undefined) bench.done(run, [which % 3], `digest ${which}`);
    else if (what === "fail" && run !== undefined) bench.fail(run, failure("data-error", `no ${which}`, "elsewhere"));
    else if (what === "signal" && run !== undefined) bench.fail(run, failure("worker-signal", "SIGKILL", "here"));
    else if (what === "lose" && run !== undefined) bench.lose(run);
    else if (what === "input-lost" && run !== undefined && run.stage > 0) bench.inputLost(run, 0);
    else if (what === "wake" && bench.master.timers().length > 0) bench.wake();
    else if (what === "node-lost") bench.handle({ kind: "node-lost", at, host, reason: "silence" });
    else if (what === "join") bench.handle(joined(host, { attempts: bench.runs.filter((one) => one.host === host) }));
    else if (what === "new-disk") bench.handle(joined(host, { incarnation: String(which) }));
    else if (what === "blacklist") bench.handle({ kind: "node-blacklisted", at, host });
    else if (what === "whitelist") bench.handle({ kind: "node-whitelisted", at, host });
    else if (what === "kill" && job !== undefined && which % 5 === 0) bench.handle({ kind: "job-killed", at, job });
    else if (what === "clean" && job !== undefined && which % 5 === 0) bench.handle({ kind: "job-cleaned", at, job });
    else if (what === "purge" && job !== undefined && which % 5 === 0) bench.handle({ kind: "job-purged", at, job });
    else if (what === "interrupt" && which % 9 === 0) bench.handle({ kind: "interrupted", at });
    else if (what === "config") bench.handle({ kind: "config-saved", at, table: [[host, which % 4]] });
    else if (what === "gc") bench.handle({ kind: which % 3 === 0 ? "gc-whitelisted" : "gc-blacklisted", at, host });
    else if (what === "settings")
      bench.handle({ kind: "settings-saved", at, changes: { maxFailureRate: which, acceptNewJobs: which % 2 === 0 } });
    else if (what === "long") bench.pass(which * 20);
    else if (what === "drain") bench.handle({ kind: which % 3 === 0 ? "node-draining" : "node-undrained", at, host });
    else if (what === "suspect") bench.master.cluster.suspect(host, which % 3 === 0);
    else if (what === "full") bench.master.cluster.noteDisk(host, { freeBytes: which % 3, reserveBytes: 1 });
    else if (what === "takeover") bench.master.cluster.awaitNodes();
    else if (what === "restart") bench.handle(joined(host, { session: String(which), url: `http://${host}` }));
    else if (what === "start") bench.handle({ kind: "master-started", at, epoch: bench.master.cluster.epoch + 1 });
  }
  return bench;
}

/** As the journal gives events and snapshots back. */
function reread<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function replay(events: readonly MasterEvent[], into = new MasterMachine()): MasterMachine {
  for (const event of events) into.handle(reread(event));
  return into;
}

const state = (master: MasterMachine): MasterSnapshot => reread(snapshotMaster(master));

describe("a replay", () => {
  it("of all events is in the state of the master that lived them", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const bench = play(steps);
        assert.deepEqual(state(replay(bench.events)), state(bench.master));
      }),
      { numRuns: 150 },
    );
  });

  it("of a snapshot and the events after it is in the same state as one of all events", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.nat(), (steps, cut) => {
        const bench = play(steps);
        const at = cut % (bench.events.length + 1);
        const half = replay(bench.events.slice(0, at));
        const restored = restoreMaster(state(half));
        assert.deepEqual(state(restored), state(half));
        assert.deepEqual(state(replay(bench.events.slice(at), restored)), state(bench.master));
      }),
      { numRuns: 150 },
    );
  });

  it("says which timers are pending", () => {
    const bench = new Bench();
    bench.submit({ inputs: 1 });
    for (const message of ["one", "two"]) bench.fail(bench.runs[0] as never, failure("comm-error", message));
    assert.equal(bench.master.timers().length, 1);
    assert.deepEqual(replay(bench.events).timers(), bench.master.timers());
  });

  it("of a snapshot from a newer release is refused", () => {
    const snapshot = { ...state(new MasterMachine()), version: snapshotVersion + 1 };
    assert.throws(() => restoreMaster(snapshot), { code: "newer-version" });
  });
});
