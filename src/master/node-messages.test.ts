/** What nodes may not do to a master by what they say. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { toJsonBytes } from "../bus/json.ts";
import { outputOf } from "../core/testing.ts";
import { MemoryStore } from "../journal/memory.ts";
import type { Assignment, AttemptId } from "../protocol/messages.ts";
import { JobFiles } from "./job-files.ts";
import { Master, NotingNode, until } from "./masters.test-kit.ts";
import { checkedHello, checkedReports } from "./node-messages.ts";
import { serveNodes } from "./node-subjects.ts";

const id: AttemptId = { job: "job@1:2:3", stage: 0, task: 0, attempt: 0 };
const hello = { host: "h", incarnation: "disk", slots: 2, queueDepth: 4, labels: { gpu: "no" }, attempts: [id] };

describe("what nodes say", () => {
  let node: NotingNode;
  let master: Master;
  let unserve: () => void;
  beforeEach(async () => {
    node = new NotingNode();
    master = await Master.open(new MemoryStore(), node, { writer: "one" });
    await master.coordinator.lead();
    unserve = serveNodes(node.bus, {
      instance: "m",
      coordinator: master.coordinator,
      files: new JobFiles(master.dataDir),
      admission: { admit: () => undefined, joined: () => undefined, left: () => undefined, dataServers: () => ({}) },
    });
  });
  afterEach(async () => {
    unserve();
    await master.coordinator.close();
    rmSync(master.dataDir, { recursive: true, force: true });
  });

  const say = (what: string, message: unknown, host = "h"): Promise<Uint8Array> =>
    node.bus.request(`master.m.${what}.${host}`, toJsonBytes(message), 5_000);

  it("becomes no other event than that it joins", async () => {
    await say("join", { ...hello, kind: "node-blacklisted", at: 0 });
    const { cluster } = master.coordinator.machine;
    assert.deepEqual([cluster.node("h")?.connected, cluster.blacklist.size], [true, 0]);
  });

  it("of an end that cannot be read is a lost attempt, which is tried again; and the master goes on", async () => {
    await say("join", { ...hello, attempts: [] });
    await master.submit(id.job);
    await until(() => node.assigned.length === 2);
    const [first, second] = node.assigned as [Assignment, Assignment];
    const reports = [
      null,
      { kind: "done" },
      { ...first, kind: "done", output: null },
      { ...first, kind: "unheard-of" },
      { ...second, kind: "progress", progress: "much" },
      { ...second, kind: "done", output: outputOf("h", second.task) },
    ];
    await say("report", { reports });
    await until(() => node.assigned.length === 3);
    const third = node.assigned[2] as Assignment;
    assert.deepEqual([third.task, third.attempt], [first.task, 1]);
    // An output that it says to be on another node is no better.
    await say("report", { reports: [{ ...third, kind: "done", output: outputOf("elsewhere", third.task) }] });
    await until(() => node.assigned.length === 4);
    await say("report", { reports: [{ ...(node.assigned[3] as Assignment), kind: "done", output: outputOf("h", 0) }] });
    assert.equal(master.coordinator.machine.result(id.job).status, "ready");
    assert.deepEqual(master.failures, []);
  });

  it("ends no attempt of another node", async () => {
    await say("join", { ...hello, attempts: [] });
    await say("join", { ...hello, host: "other", slots: 0, attempts: [] }, "other");
    await master.submit(id.job);
    await until(() => node.assigned.length === 2);
    const [first] = node.assigned as [Assignment];
    await say("report", { reports: [{ ...first, kind: "done", output: outputOf("other", first.task) }] }, "other");
    await say("report", { reports: [{ ...first, kind: "lost", reason: "so I say" }] }, "other");
    const stage = master.coordinator.machine.jobs.get(id.job)?.stages[0];
    assert.notEqual(stage?.liveAttempt(first.task, first.attempt), undefined);
  });

  it("of itself is refused when it is not as it should be, with what to do", () => {
    for (const wrong of [
      null,
      {},
      { ...hello, slots: -1 },
      { ...hello, slots: 1e9 },
      { ...hello, queueDepth: "4" },
      { ...hello, labels: { gpu: 1 } },
      { ...hello, labels: ["gpu"] },
      { ...hello, attempts: [{}] },
      { ...hello, url: "file:///etc/passwd" },
      { ...hello, host: "other" },
      { ...hello, incarnation: "" },
    ]) {
      assert.throws(() => checkedHello(wrong, "h"), { code: "bad-node" }, JSON.stringify(wrong));
    }
    assert.deepEqual(checkedHello({ ...hello, session: "s", url: "https://h:1", more: 1 }, "h"), {
      ...hello,
      session: "s",
      url: "https://h:1",
    });
  });

  it("may be anything at all: what comes of it names its attempt and is an end that the master understands", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.anything(), fc.record({ kind: fc.constantFrom("done", "failed", "lost", "x") }))),
        (any) => {
          const reports = any.map((one, n) => (n % 2 === 0 ? one : { ...id, ...(one as object) }));
          for (const report of checkedReports({ reports }, "h")) {
            assert.equal(typeof report.job, "string");
            assert.ok(Number.isSafeInteger(report.task) && report.task >= 0);
          }
        },
      ),
    );
    assert.throws(() => checkedReports({ reports: 1 }, "h"), { code: "bad-node" });
  });
});
