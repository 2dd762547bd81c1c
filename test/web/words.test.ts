/** What the page says, without a browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MasterInfo, NodeInfo, StageInfo, TaskInfo } from "../../src/client/master-api.ts";
import { clusterSummary } from "../../src/web/cluster-summary.ts";
import { age, bytes, count, counted, duration } from "../../src/web/format.ts";
import { stageShare } from "../../src/web/stage-share.ts";
import { attemptText, taskText } from "../../src/web/task-words.ts";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

test("durations have the two units that matter", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0 ms"],
    [1_450, "1.4 s"],
    [9_999, "9.9 s"],
    [10_000, "10 s"],
    [59_999, "59 s"],
    [3 * minuteMs + 5 * secondMs, "3 min 05 s"],
    [2 * hourMs + 10 * minuteMs, "2 h 10 min"],
    [4 * dayMs + 3 * hourMs, "4 d 3 h"],
    [-5, "0 s"],
    [Number.NaN, "0 s"],
  ];
  for (const [ms, text] of cases) assert.equal(duration(ms), text);
});

test("an age has one unit, and a clock that is behind makes it now", () => {
  const cases: readonly (readonly [number, string])[] = [
    [-minuteMs, "now"],
    [999, "now"],
    [12 * secondMs, "12 s"],
    [59 * minuteMs, "59 min"],
    [25 * hourMs, "1 d"],
  ];
  for (const [ms, text] of cases) assert.equal(age(ms), text);
});

test("numbers of bytes and things are short", () => {
  assert.deepEqual([0, 1023, 1536, 23 * 2 ** 20, 2 ** 60].map(bytes), [
    "0 B",
    "1023 B",
    "1.5 KiB",
    "23 MiB",
    "1024 PiB",
  ]);
  assert.deepEqual([counted(1, "node"), counted(2, "node"), count(1_234_567)], ["1 node", "2 nodes", "1,234,567"]);
});

function stage(changes: Partial<StageInfo>): StageInfo {
  const nothing = { tasks: 0, waiting: 0, queued: 0, running: 0, done: 0, failed: 0 };
  return { stage: "map", ...nothing, recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesTotal: 0, ...changes };
}

test("a bar is never longer than it is, whatever the counts", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(), (tasks, done, running) => {
      const share = stageShare(stage({ tasks, done, running }));
      assert.ok(share.done >= 0 && share.running >= 0);
      assert.ok(share.done + share.running <= 1 + Number.EPSILON);
    }),
  );
});

test("a bar says in words what it shows", () => {
  const all = { tasks: 1_000, done: 500, running: 20, queued: 30, waiting: 450, failed: 2 };
  assert.deepEqual(stageShare(stage(all)), {
    done: 0.5,
    running: 0.02,
    words: "map: 500 of 1,000 done, 20 running, 30 queued, 450 waiting, 2 failed attempts",
  });
  assert.equal(stageShare(stage({})).words, "map: not planned yet");
});

function task(changes: Partial<TaskInfo>): TaskInfo {
  return {
    stage: "map",
    task: 0,
    status: "waiting",
    waits: null,
    wakeAt: null,
    attempts: [],
    attemptsMade: 0,
    failures: 0,
    lost: 0,
    label: null,
    bytesTotal: 0,
    done: null,
    ...changes,
  };
}

test("a task says where it was done, why it waits, and when it is tried again", () => {
  const done = { host: "n1", recordsIn: 1, recordsOut: 1 };
  assert.equal(taskText(task({ status: "done", done }), 0), "done on n1");
  assert.equal(taskText(task({ waits: "max_cores 2 reached" }), 0), "waits: max_cores 2 reached");
  assert.equal(taskText(task({ status: "sleeping", wakeAt: 15_000 }), 2_000), "tried again in 13 s");
  assert.equal(taskText(task({ status: "running" }), 0), "");
});

test("an attempt says which it is, where, for how long, and whether beside another", () => {
  const attempt = { attempt: 0, host: "n1", startedAt: 1_000, speculative: false, progress: null };
  assert.equal(attemptText(attempt, 13_000), "on n1 for 12 s");
  assert.equal(
    attemptText({ ...attempt, attempt: 1, speculative: true }, 3_000),
    "attempt 2 on n1 for 2.0 s, beside a slow one",
  );
  assert.equal(attemptText({ ...attempt, startedAt: null }, 3_000), "queued on n1");
});

test("the cluster's line counts what can be used, and names what cannot", () => {
  const node = (name: string, changes: Partial<NodeInfo> = {}): NodeInfo => ({
    name,
    slots: 4,
    connected: true,
    blacklisted: false,
    tasksOk: 0,
    tasksFailed: 0,
    dataErrors: 0,
    diskFreeBytes: 2 ** 30,
    diskUsedBytes: 0,
    tasks: ["a@1", "a@1"],
    labels: {},
    ...changes,
  });
  const master = { version: "1.2.3", jobs: { active: 1, ready: 2_000, dead: 3 } } as MasterInfo;
  const nodes = [node("a"), node("b", { blacklisted: true }), node("c", { connected: false, tasks: [] })];
  assert.deepEqual(clusterSummary(nodes, master), [
    "2 nodes",
    "1 lost",
    "1 blacklisted",
    "4 slots",
    "4 running",
    "2.0 GiB free",
    "1 active, 2,000 ready, 3 dead",
    "version 1.2.3",
  ]);
});

test("the cluster's line says of several masters who leads, how late it is, and what the journal survives", () => {
  const base = { connected: true, blacklisted: false, tasksOk: 0, tasksFailed: 0, dataErrors: 0, diskUsedBytes: 0 };
  const node = (name: string, state: NonNullable<NodeInfo["state"]>): NodeInfo => {
    return { ...base, name, state, slots: 4, diskFreeBytes: 2 ** 30, tasks: [], labels: {} };
  };
  const journal = { engine: "nats", durable: "process-crash", replicas: 3 };
  const jobs = { active: 0, ready: 0, dead: 0 };
  const leader = "http://a:8989";
  const follows = { version: "1.2.3", jobs, journal, role: "follows", leader, ageMs: 5_400 } as MasterInfo;
  const nodes = [node("a", "up"), node("b", "draining"), node("c", "suspect"), node("d", "suspect")];
  assert.deepEqual(clusterSummary(nodes, follows), [
    "4 nodes",
    "2 suspect",
    "1 draining",
    "4 slots",
    "0 running",
    "4.0 GiB free",
    "0 active, 0 ready, 0 dead",
    "journal nats, process-crash, 3 copies",
    "http://a:8989 leads",
    "told 5 s late",
    "version 1.2.3",
  ]);
  const without = clusterSummary(nodes, { ...follows, leader: null, ageMs: 0 });
  assert.ok(without.includes("no master leads") && !without.some((part) => part.includes("late")));
  assert.ok(!clusterSummary(nodes, { ...follows, role: "leads", ageMs: 0 }).some((part) => part.includes("leads")));
});
