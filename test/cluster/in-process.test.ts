/** Nodes and masters of one cluster in one process: who is let in, who is given up, and what a change of master leaves alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toJsonBytes } from "../../src/bus/json.ts";
import { packOf, scriptedWorker } from "../../src/master/fixtures/packs.ts";
import { Stand } from "./in-process.test-kit.ts";

const options = { workerScript: scriptedWorker, hosts: ["a.example", "b"] } as const;
const waitMs = 20_000;

async function end(stand: Stand, job: string): Promise<string> {
  const [result] = await stand.master.results([job], waitMs);
  return result?.status ?? "unknown";
}

test("nodes in any number join one master, and its jobs run on all of them", { timeout: 60_000 }, async () => {
  await using stand = await Stand.open({ ...options, hosts: ["a.example", "b", "c", "d"] });
  const job = await stand.master.submit(packOf(["slow"], { tasks: 32 }));
  assert.equal(await end(stand, job), "ready");
  const { nodes } = stand.coordinator.machine.cluster;
  assert.deepEqual(
    [...nodes.values()]
      .filter(({ tasksOk }) => tasksOk > 0)
      .map(({ host }) => host)
      .toSorted(),
    ["a.example", "b", "c", "d"],
  );
});

test("a second node with a taken name is refused, and let in when the first one has said goodbye", async () => {
  await using stand = await Stand.open(options);
  const second = stand.startNode("b", "other-disk");
  await stand.until(() => stand.refused.length > 0);
  assert.deepEqual(stand.refused[0], { host: "b", code: "name-taken" });
  const incarnation = stand.coordinator.machine.cluster.node("b")?.incarnation;
  const first = stand.nodes.get("b");
  await first?.leave();
  assert.equal(stand.isConnected("b"), false);
  await first?.close();
  await stand.until(() => stand.isConnected("b"));
  assert.notEqual(stand.coordinator.machine.cluster.node("b")?.incarnation, incarnation);
  await second.close();
});

test("a node that dies is lost after its time, and what it had runs elsewhere", { timeout: 60_000 }, async () => {
  await using stand = await Stand.open({ ...options, suspicionMs: 1_500, deathMs: 3_000 });
  await stand.nodes.get("b")?.close();
  stand.nodes.delete("b");
  const job = await stand.master.submit(packOf(["slow"], { tasks: 16 }));
  assert.equal(await end(stand, job), "ready");
  await stand.until(() => !stand.isConnected("b"));
  assert.equal(stand.coordinator.machine.cluster.node("b")?.connected, false);
});

test("nodes join the next master by themselves, with what they have, and a master of before is refused", async () => {
  await using stand = await Stand.open(options);
  const before = stand.coordinator.machine.cluster.epoch;
  const job = await stand.master.submit(packOf(["slow", "ok"], { tasks: 24 }));
  await stand.until(() => stand.coordinator.machine.runningOn("b").length > 0);
  await stand.endMaster();
  await stand.startMaster();
  await stand.until(() => stand.desk.liveness.silentForMs("b") !== null && !stand.desk.liveness.isSuspect("b"));
  assert.ok(stand.coordinator.machine.cluster.epoch > before);
  const late = toJsonBytes({ epoch: before, assignments: [] });
  await assert.rejects(stand.bus.request("node.b.assign", late, 1_000), { code: "stale-epoch" });
  assert.equal(await end(stand, job), "ready");
});

test("a node that says that its disk is full gets no tasks", { timeout: 60_000 }, async () => {
  const full = { diskReserveBytes: Number.MAX_SAFE_INTEGER };
  await using stand = await Stand.open({ ...options, options: (host) => (host === "b" ? full : {}) });
  await stand.until(() => stand.desk.liveness.heartbeat("b") !== null);
  const job = await stand.master.submit(packOf(["ok"], { tasks: 16 }));
  assert.equal(await end(stand, job), "ready");
  const nodes = await stand.master.nodeInfo();
  const states = nodes
    .map(({ name, state, tasksOk }) => [name, state, tasksOk] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  assert.deepEqual(states, [
    ["a.example", "up", 16],
    ["b", "full", 0],
  ]);
});
