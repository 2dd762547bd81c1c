/** What a coordinator makes of a journal that another one has left, or that it could not write itself for a while. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, test } from "node:test";
import type { TaskOutput } from "../core/job/spec.ts";
import type { Assignment, AttemptId, NodeReport } from "../protocol/messages.ts";
import { Master, Store } from "./takeover.test-kit.ts";

const output: TaskOutput = {
  ref: { host: "h", file: "f", at: 0, length: 1, digest: "d" },
  labels: [{ label: 0, bytes: 1, records: 1 }],
  recordsIn: 1,
  recordsOut: 1,
  bytesIn: 1,
  peakRss: 1,
};
const idOf = ({ job, stage, task, attempt }: AttemptId): AttemptId => ({ job, stage, task, attempt });
const done = (one: AttemptId): NodeReport => ({ kind: "done", ...idOf(one), output });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A master that has assigned all tasks of a job. */
async function begun(store: Store, tasks: number): Promise<{ master: Master; job: string }> {
  const master = new Master(store);
  master.join();
  const job = master.submit(tasks);
  await master.until(() => master.assigned.length === tasks);
  return { master, job };
}

describe("a coordinator that continues", () => {
  test("goes on with jobs: what was finished stays, what the node does not have any more runs again", async () => {
    const store = new Store();
    const { master: first, job } = await begun(store, 3);
    void first.coordinator.report("h", [done(first.assigned[0] as Assignment)]);
    first.die();
    await using second = new Master(store);
    second.join();
    await second.until(() => second.assigned.length === 2);
    assert.deepEqual(
      second.assigned.map(({ task, attempt }) => [task, attempt]),
      [
        [1, 1],
        [2, 1],
      ],
    );
    assert.ok((second.assigned[0]?.epoch ?? 0) > (first.assigned[0]?.epoch ?? 0));
    const lost = second.coordinator.machine.tasks(job)?.tasks.map(({ lost, failures }) => [lost, failures]);
    assert.deepEqual(
      lost,
      [
        [0, 0],
        [1, 0],
        [1, 0],
      ],
      "nobody is blamed",
    );
    void second.coordinator.report("h", second.assigned.map(done));
    assert.equal(second.coordinator.machine.result(job).status, "ready");
  });

  test("assigns nothing before its node has said what it has", async () => {
    const store = new Store();
    const { master: first, job } = await begun(store, 2);
    first.die();
    await using second = new Master(store);
    second.submit(1);
    await turn();
    assert.equal(second.assigned.length, 0);
    second.join(first.assigned.map(idOf));
    await second.until(() => second.assigned.length > 0);
    assert.ok(
      second.assigned.every((one) => one.job !== job),
      "the attempts of before go on",
    );
    void second.coordinator.report("h", first.assigned.map(done));
    assert.equal(second.coordinator.machine.result(job).status, "ready");
  });

  test("adds the lines to the log that the crash kept out of it, and none twice", async () => {
    const store = new Store();
    const { master: first, job } = await begun(store, 2);
    await turn();
    const written = first.lines(job).length;
    assert.ok(written > 0);
    first.logs.dead = true;
    void first.coordinator.report("h", [done(first.assigned[0] as Assignment)]);
    first.die();
    // A write that was cut short by the crash.
    writeFileSync(first.logs.file(job), '{"time":"2026-1', { flag: "a" });
    await using second = new Master(store);
    second.join();
    await second.until(() => second.assigned.length === 1);
    await turn();
    const lines = second.lines(job);
    assert.deepEqual(
      lines.map(({ n }) => n),
      lines.map((_, i) => i),
    );
    assert.equal(lines.filter(({ message }) => message.startsWith("DONE")).length, 1);
    assert.ok(lines.length > written + 1);
  });

  test("gives the log of a job that had ended its last lines, and has its files dropped once more", async () => {
    const store = new Store();
    const { master: first, job } = await begun(store, 1);
    first.logs.dead = true;
    void first.coordinator.report("h", first.assigned.map(done));
    first.die();
    rmLastLine(first.logs.file(job));
    await using second = new Master(store);
    await second.until(() => second.told.length === 2);
    assert.match(second.told.join(), /end-job.*drop-files.*intermediate/);
    assert.match(second.lines(job).at(-1)?.message ?? "", /^READY/);
    assert.equal(second.coordinator.machine.jobs.size, 0);
  });

  test("finishes to delete what belongs to a job that was purged", async () => {
    const store = new Store();
    const { master: first, job } = await begun(store, 1);
    first.coordinator.record([{ kind: "job-purged", at: Date.now(), job }]);
    await first.coordinator.settled(job);
    first.die();
    const file = first.logs.file(job);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "");
    await using second = new Master(store);
    await second.until(() => second.told.some((what) => what.startsWith("drop-files")));
    await second.coordinator.settled("");
    assert.ok(!existsSync(file));
    assert.match(second.told.join(), /"scope":"all"/);
  });

  test("sets pending timers again", async () => {
    const store = new Store();
    const { master: first } = await begun(store, 1);
    for (const message of ["one", "two"]) {
      const failure = { code: "user-error", name: "Error", message, retry: "elsewhere" } as const;
      void first.coordinator.report("h", [{ kind: "failed", ...idOf(first.assigned.at(-1) as Assignment), failure }]);
      if (message === "one") await first.until(() => first.assigned.length === 2);
    }
    const pending = first.coordinator.machine.timers();
    assert.equal(pending.length, 1, "the task sleeps");
    first.die();
    await using second = new Master(store);
    second.join();
    await second.until(() => second.assigned.length === 1);
    assert.equal(second.assigned[0]?.attempt, 2);
  });

  test("is the same job under the same key", async () => {
    const store = new Store();
    const first = new Master(store);
    const job = first.submit(1, "key");
    first.die();
    await using second = new Master(store);
    assert.equal(second.coordinator.machine.keys.get("key"), job);
  });

  test("leaves its jobs to the next one when it is closed", async () => {
    const store = new Store();
    const { master: first, job } = await begun(store, 2);
    await first.coordinator.close();
    assert.ok(store.snapshot() !== null);
    await using second = new Master(store);
    assert.equal(second.coordinator.machine.result(job).status, "active");
  });

  test("keeps a node in mind that is gone, as long as an active job may read from it", async () => {
    const store = new Store();
    const { master: first, job } = await begun(store, 2);
    void first.coordinator.report("h", [done(first.assigned[0] as Assignment)]);
    first.die();
    await using second = new Master(store);
    second.coordinator.forgetNodes((host) => host === "h", "renamed");
    assert.equal(second.coordinator.machine.cluster.node("h")?.connected, false);
    second.coordinator.record([{ kind: "job-killed", at: 2, job }]);
    assert.deepEqual(
      second.coordinator.forgetNodes((host) => host === "h", "renamed"),
      [],
    );
    assert.equal(second.coordinator.machine.cluster.node("h"), undefined);
    second.die();
    await using third = new Master(store);
    assert.equal(third.coordinator.machine.cluster.node("h"), undefined);
  });

  test("gives up nodes that will not come again", async () => {
    const store = new Store();
    const { master: first, job } = await begun(store, 1);
    first.die();
    await using second = new Master(store);
    assert.deepEqual(
      second.coordinator.forgetNodes((host) => host === "h", "renamed"),
      ["h"],
    );
    assert.deepEqual(second.coordinator.machine.info(job)?.hosts, []);
    assert.equal(second.coordinator.machine.cluster.node("h"), undefined, "no job reads from it");
  });
});

describe("a coordinator whose journal takes nothing any more", () => {
  test("answers from what is recorded, takes nothing in, and goes on when there is room", async () => {
    const store = new Store();
    const { master, job } = await begun(store, 2);
    await using _ = master;
    const { coordinator } = master;
    store.full = true;
    const [one, two] = master.assigned as [Assignment, Assignment];
    const said = { kind: "message", ...idOf(one), level: "message", text: "almost" } as const;
    const batch = [said, done(one)];
    for (let i = 0; i < 3; i++) {
      assert.throws(() => coordinator.report("h", batch), { code: "read-only", retry: "here" });
    }
    assert.equal(coordinator.readOnly, true);
    assert.equal(coordinator.machine.info(job)?.stages[0]?.done, 0, "what is not recorded did not happen");
    const key = "while full";
    assert.throws(() => master.submit(1, key), { code: "read-only" });
    assert.equal(coordinator.machine.keys.get(key), undefined);
    assert.equal(coordinator.resume(), false);
    assert.throws(
      () => coordinator.join({ host: "h", incarnation: "i", slots: 1, queueDepth: 1, labels: {}, attempts: [] }),
      {
        code: "read-only",
      },
    );

    store.full = false;
    const epoch = coordinator.machine.cluster.epoch;
    assert.equal(coordinator.resume(), true);
    assert.ok(coordinator.machine.cluster.epoch > epoch);
    // The node has one that is done and not acknowledged, and one that runs.
    master.join([idOf(one), idOf(two)]);
    void coordinator.report("h", batch);
    void coordinator.report("h", [done(two)]);
    assert.equal(coordinator.machine.result(job).status, "ready");
    assert.equal(master.assigned.length, 2, "nothing ran twice");
    const lines = master.lines(job);
    assert.equal(lines.filter(({ message }) => message === "almost").length, 1, "what the task said is there once");
    assert.deepEqual(
      lines.flatMap(({ n }) => n ?? []),
      lines.flatMap(({ n }) => n ?? []).map((_n, i) => i),
    );
  });

  test("tells who waits when a job ended in the part of a turn that was recorded", async () => {
    const store = new Store();
    const { master, job } = await begun(store, 1);
    await using _ = master;
    const { coordinator } = master;
    const ends = master.signals.oneEnds([job], 60_000);
    // 65 events take two records, and the second one finds no room.
    const record = store.insert.bind(store);
    store.insert = (one) => record(one) && (store.full = true);
    const others = Array.from({ length: 64 }, (_e, i) => ({ kind: "node-blacklisted", at: 1, host: `x${i}` }) as const);
    const [{ job: name, stage, task, attempt }] = master.assigned as [Assignment];
    assert.throws(
      () => coordinator.record([{ kind: "task-done", at: 1, job: name, stage, task, attempt, output }, ...others]),
      { code: "read-only" },
    );
    assert.equal(coordinator.machine.result(job).status, "ready");
    store.insert = record;
    store.full = false;
    assert.equal(coordinator.resume(), true);
    await ends;
    await master.until(() => master.told.some((what) => what.startsWith("end-job")));
    assert.match(master.lines(job).at(-1)?.message ?? "", /^READY/);
  });

  test("takes over a journal that is full, to be asked", async () => {
    const store = new Store();
    const { master: first, job } = await begun(store, 1);
    first.die();
    store.full = true;
    await using second = new Master(store);
    assert.equal(second.coordinator.readOnly, true);
    assert.equal(second.coordinator.machine.result(job).status, "active");
    store.full = false;
    assert.equal(second.coordinator.resume(), true);
  });
});

describe("a coordinator whose disk has less room than is to be kept", () => {
  test("starts no task, refuses jobs, and still takes reports", async () => {
    await using master = new Master(new Store(), { reserveBytes: 1e6 });
    master.join();
    const job = master.submit(1);
    await master.until(() => master.assigned.length === 1);
    master.freeBytes = 10;
    assert.throws(() => master.coordinator.assertRoom(), { code: "read-only", message: /0\.0 MB are free, 1\.0 MB/ });
    const waiting = master.submit(1);
    await turn();
    assert.equal(master.assigned.length, 1);
    void master.coordinator.report("h", master.assigned.map(done));
    assert.equal(master.coordinator.machine.result(job).status, "ready");
    master.freeBytes = 1.05e6;
    assert.throws(
      () => master.coordinator.assertRoom(),
      { code: "read-only" },
      "a little more than was wanted is needed",
    );
    master.freeBytes = 2e6;
    master.coordinator.assertRoom();
    master.coordinator.nudge();
    await master.until(() => master.assigned.length === 2);
    assert.equal(master.assigned[1]?.job, waiting);
  });
});

function rmLastLine(file: string): void {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1));
}
