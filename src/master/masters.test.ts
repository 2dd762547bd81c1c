import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { afterEach, describe, it } from "node:test";
import { outputOf } from "../core/testing.ts";
import { CommError } from "../errors.ts";
import { MemoryStore } from "../journal/memory.ts";
import type { Lease } from "../lease/lease.ts";
import { MemoryLease } from "../lease/memory.ts";
import { MemoryLineFeed } from "../lines/memory.ts";
import type { Assignment, AttemptId, NodeReport } from "../protocol/messages.ts";
import { DiskRoom } from "./disk-room.ts";
import { Leadership, leaseMs } from "./leadership.ts";
import { silentLog } from "./log.ts";
import { Master, NotingNode, until } from "./masters.test-kit.ts";
import { RoomWatch } from "./room-watch.ts";

const opened: Master[] = [];
let store = new MemoryStore();
let node = new NotingNode();

async function open(writer: string, options: Partial<Parameters<typeof Master.open>[2]> = {}): Promise<Master> {
  const master = await Master.open(store, node, { writer, ...options });
  opened.push(master);
  return master;
}

afterEach(async () => {
  for (const { coordinator, dataDir } of opened.splice(0)) {
    await coordinator.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
  store = new MemoryStore();
  node = new NotingNode();
});

function doneOf({ job, stage, task, attempt }: AttemptId): NodeReport {
  return { kind: "done", job, stage, task, attempt, output: outputOf("h", task) };
}

function attemptOf({ job, stage, task, attempt }: AttemptId): AttemptId {
  return { job, stage, task, attempt };
}

function idsOf(assigned: readonly Assignment[]): string[] {
  return assigned.map(({ stage, task, attempt }) => `${stage}/${task}/${attempt}`);
}

describe("masters on one journal", () => {
  it("the one that follows answers questions, has the logs, and records nothing", async () => {
    const [one, two] = [await open("one"), await open("two")];
    assert.equal(await one.coordinator.lead(), true);
    await one.join();
    await one.submit("job@1:2:3", "key");
    const { machine } = two.coordinator;
    await until(() => machine.jobs.get("job@1:2:3") !== undefined);
    assert.equal(machine.keys.get("key"), "job@1:2:3");
    assert.deepEqual([one.coordinator.leads, two.coordinator.leads], [true, false]);
    assert.throws(() => two.submit("job@9:9:9"), { code: "not-leading", hint: /http:\/\/leader:8989/ });
    assert.throws(() => two.coordinator.report("h", []), { code: "not-leading" });
    await until(() => node.assigned.length === 2);
    await one.coordinator.report("h", node.assigned.map(doneOf));
    await until(() => machine.result("job@1:2:3").status === "ready");
    await one.coordinator.committed();
    assert.deepEqual(await two.messages("job@1:2:3"), await one.messages("job@1:2:3"));
    assert.ok((await two.messages("job@1:2:3")).length > 0);
  });

  it("a report too large for the journal fails its attempt with what to do, and those beside it count", async () => {
    const one = await open("one");
    await one.coordinator.lead();
    await one.join();
    await one.submit("job@1:2:3");
    await until(() => node.assigned.length === 2);
    const [small, large] = node.assigned as [Assignment, Assignment];
    const oob = [{ key: "k".repeat(2 ** 20), file: "f", size: 1 }];
    const tooLarge: NodeReport = { ...attemptOf(large), kind: "done", output: { ...outputOf("h", large.task), oob } };
    await one.coordinator.report("h", [doneOf(small), tooLarge]);
    const { machine } = one.coordinator;
    assert.equal(machine.result("job@1:2:3").status, "dead");
    assert.equal(machine.ended.get("job@1:2:3")?.failure?.code, "report-too-big");
    assert.match(machine.ended.get("job@1:2:3")?.failure?.hint ?? "", /fewer labels/);
    assert.deepEqual(one.failures, []);
    await one.coordinator.report("h", [doneOf(small)]);
  });

  it("with a full disk takes no job and says so, has tasks started all the same, and goes on when there is room", async () => {
    let freeBytes = 100;
    const room = new DiskRoom({ root: "/r", reserveBytes: 10, freeBytes: () => freeBytes });
    const one = await open("one", { room });
    const { coordinator } = one;
    const watch = new RoomWatch({ room, coordinator, log: silentLog, now: () => 0 });
    try {
      await coordinator.lead();
      await one.submit("job@1:2:3");
      freeBytes = 9;
      assert.throws(() => coordinator.assertRoom(), { code: "read-only", message: /the disk of \/r is full/ });
      assert.deepEqual(
        watch.alarms().map(({ code }) => code),
        ["disk-full"],
      );
      await one.join();
      await until(() => node.assigned.length === 2);
      await coordinator.report("h", node.assigned.map(doneOf));
      assert.equal(coordinator.machine.result("job@1:2:3").status, "ready");
      freeBytes = 100;
      watch.look();
      coordinator.assertRoom();
      assert.deepEqual(watch.alarms(), []);
      assert.ok(!(await one.messages("job@1:2:3")).some((message) => message.includes("No task starts")));
    } finally {
      watch.stop();
    }
  });

  it("a report, a join and a job are acknowledged when they are in the journal", async () => {
    const one = await open("one");
    await one.coordinator.lead();
    await one.join();
    const { promise, resolve } = Promise.withResolvers<void>();
    one.journal.pause = () => promise;
    let accepted = false;
    const submitted = one.submit("job@1:2:3").then(() => (accepted = true));
    let answered = false;
    const question = one.coordinator.assured().then(() => (answered = true));
    await new Promise((turn) => setTimeout(turn, 5));
    assert.deepEqual([accepted, answered, node.assigned.length], [false, false, 0]);
    resolve();
    await Promise.all([submitted, question]);
    await until(() => node.assigned.length === 2);
    assert.equal(store.head().seq > 2, true);
  });

  it("the successor goes on where the leader was killed; the old one, woken, is deposed and has nothing carried out", async () => {
    const [one, two] = [await open("one"), await open("two")];
    await one.coordinator.lead();
    await one.join();
    await one.submit("job@1:2:3", "key");
    await until(() => node.assigned.length === 2);
    assert.equal(await two.coordinator.lead(), true);
    assert.equal(two.coordinator.machine.cluster.epoch, 2);
    assert.deepEqual(two.failures, []);
    // It was paused all the time, and does not know.
    const late = one.coordinator.report("h", [doneOf(node.assigned[0] as Assignment)]);
    await assert.rejects(late, { code: "deposed" });
    assert.deepEqual(one.failures, ["deposed"]);
    assert.throws(() => one.submit("job@4:5:6"), { code: "deposed" });
    const attempts = node.assigned.map(({ job, stage, task, attempt }) => ({ job, stage, task, attempt }));
    await two.coordinator.join({ host: "h", incarnation: "i", slots: 2, queueDepth: 4, labels: {}, attempts });
    await two.coordinator.report("h", node.assigned.map(doneOf));
    assert.equal(two.coordinator.machine.result("job@1:2:3").status, "ready");
    assert.deepEqual(idsOf(node.assigned), ["0/0/0", "0/1/0"]);
  });

  it("a node that says that another master leads is given up, and puts none out of office: the journal does", async () => {
    const [one, two] = [await open("one"), await open("two")];
    await one.coordinator.lead();
    const stale = new CommError("epoch 1 is over", { code: "stale-epoch", retry: "never" });
    node.refusal = stale;
    await one.join();
    await one.submit("job@1:2:3");
    await until(() => one.coordinator.machine.cluster.node("h")?.connected === false);
    assert.deepEqual([one.failures, one.coordinator.leads], [[], true]);
    await one.coordinator.committed();
    // Now it is so.
    await two.coordinator.lead();
    await one.coordinator.confirm();
    assert.deepEqual(one.failures, ["deposed"]);
  });

  it("nothing new is begun while the engine is away, and everything goes on by itself afterwards", async () => {
    const one = await open("one");
    await one.coordinator.lead();
    await one.join();
    one.journal.away = true;
    const submitted = one.submit("job@1:2:3");
    await until(() => one.coordinator.awaySince !== null);
    assert.equal(node.assigned.length, 0);
    one.journal.away = false;
    await submitted;
    one.coordinator.nudge();
    await until(() => node.assigned.length === 2);
    assert.deepEqual([one.failures, one.coordinator.awaySince], [[], null]);
  });

  it("what a task says is in the logs of all, once, also when a master was started again", async () => {
    const feed = new MemoryLineFeed();
    const one = await open("one", { lines: feed });
    const two = await open("two", { lines: feed });
    await one.coordinator.lead();
    await one.join();
    await one.submit("job@1:2:3");
    await until(() => node.assigned.length === 2);
    const said = { ...(node.assigned[0] as Assignment), kind: "message", level: "message", text: "hello" } as const;
    await one.coordinator.report("h", [said]);
    const count = async (master: Master): Promise<number> =>
      (await master.messages("job@1:2:3")).filter((message) => message === "hello").length;
    while ((await count(two)) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await two.coordinator.close();
    two.logs.flush();
    const again = await open("again", { lines: feed, dataDir: two.dataDir });
    await one.coordinator.report("h", [{ ...said, text: "last" }]);
    while (!(await again.messages("job@1:2:3")).includes("last"))
      await new Promise((resolve) => setTimeout(resolve, 1));
    assert.deepEqual([await count(one), await count(again)], [1, 1]);
  });
});

/** As the lease, with other answers. */
function answering(lease: Lease, answers: Partial<Lease>): Lease {
  return {
    tryAcquire: (name, holder, ttlMs) => lease.tryAcquire(name, holder, ttlMs),
    renew: (name, holder, ttlMs) => lease.renew(name, holder, ttlMs),
    release: (name, holder) => lease.release(name, holder),
    holder: (name) => lease.holder(name),
    ...answers,
  };
}

describe("leadership", () => {
  /** Time stands still unless a test moves it, and pauses end with a turn of the event loop. */
  function lead(master: Master, lease: Lease, holder: string, clock: () => number): Leadership {
    const leadership = new Leadership({
      lease,
      name: "leader",
      holder,
      coordinator: master.coordinator,
      began: () => undefined,
      clock,
      pause: () => new Promise((resolve) => setTimeout(resolve, 1)),
    });
    leadership.start();
    return leadership;
  }

  it("one leads; when it stops, the other does", async () => {
    const lease = new MemoryLease();
    const [one, two] = [await open("one"), await open("two")];
    const first = lead(one, lease, "one", () => 0);
    await until(() => first.leads);
    const second = lead(two, lease, "two", () => 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(second.leads, false);
    await first.stop();
    await until(() => second.leads);
    assert.equal(two.coordinator.machine.cluster.epoch, 2);
    await one.coordinator.confirm();
    assert.deepEqual(one.failures, ["deposed"]);
    await second.stop();
  });

  it("stops at once also when the engine is away while it takes over, and does not begin afterwards", async () => {
    const lease = new MemoryLease();
    const one = await open("one");
    let began = 0;
    // It can be read, and takes nothing: a disk that is full, a quorum that is lost.
    one.journal.append = async () => ({ kind: "unknown", cause: new CommError("away") });
    const appended = Promise.withResolvers<void>();
    const { append } = one.journal;
    one.journal.append = (...args) => {
      appended.resolve();
      return append(...args);
    };
    const leadership = new Leadership({
      lease,
      name: "leader",
      holder: "one",
      coordinator: one.coordinator,
      began: () => began++,
    });
    leadership.start();
    await appended.promise;
    await leadership.stop();
    assert.deepEqual([leadership.leads, began, await lease.holder("leader")], [false, 0, null]);
  });

  it("a leader that was blocked for longer than the lease writes nothing before it has the lease again", async () => {
    const lease = new MemoryLease();
    let answer = Promise.resolve(true);
    const renewed = answering(lease, { renew: () => answer });
    const one = await open("one");
    let time = 0;
    const leadership = lead(one, renewed, "one", () => time);
    await until(() => leadership.leads);
    await one.join();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    answer = promise;
    // The same as a process that wakes up: time has passed, and nothing was renewed.
    time += 2 * leaseMs;
    const { seq } = store.head();
    const submitted = one.submit("job@1:2:3");
    await new Promise((turn) => setTimeout(turn, 20));
    assert.equal(store.head().seq, seq);
    resolve(true);
    await submitted;
    assert.ok(store.head().seq > seq);
    await leadership.stop();
  });

  it("a leader that was blocked while another one took over ends, and its record is not in the journal", async () => {
    const lease = new MemoryLease();
    let answer = Promise.resolve(true);
    const renewed = answering(lease, { renew: () => answer, tryAcquire: () => answer });
    const [one, two] = [await open("one"), await open("two")];
    let time = 0;
    const leadership = lead(one, renewed, "one", () => time);
    await until(() => leadership.leads);
    answer = Promise.resolve(false);
    assert.equal(await two.coordinator.lead(), true);
    const { seq } = store.head();
    time += 2 * leaseMs;
    await assert.rejects(async () => await one.submit("job@1:2:3"), { code: "deposed" });
    assert.deepEqual([one.failures, store.head().seq], [["deposed"], seq]);
    await leadership.stop();
  });
});
