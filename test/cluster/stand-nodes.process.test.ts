/**
 * What nodes do to a job that waits for them (faults 20 to 23): one stands still for a minute, one comes back with its disk, one comes back
 * without it, and one claims a name that is taken.
 *
 *   maps run, one on each node ─▶ n3 stands still ─▶ the gate for maps opens: n3's worker ends its task, and n3 cannot tell ─▶ n3 is lost
 *     ─▶ other nodes have made all maps ─▶ n1 is killed, and comes back ─▶ n2 is killed, and comes back empty ─▶ n3 is woken, and tells
 *     ─▶ the gate for reduces opens ─▶ the bytes of one machine
 */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { Disco, type Job } from "disco-mapreduce";
import type { NodeJoined } from "../../src/core/events.ts";
import { openNats } from "../../src/nats/connection.ts";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import type { AttemptId, NodeReport } from "../../src/protocol/messages.ts";
import { gatedReduce, gatedWords } from "./fixtures/gated-words.ts";
import { ProcessStand, standCluster } from "./stand.test-kit.ts";
import { attemptOf, checkJournal, digestOf, type Recorded, recorded } from "./stand-jobs.test-kit.ts";

const maps = 12;
const partitions = 2;
const stillMs = 60_000;

async function startGated(disco: Disco, folder: string): Promise<Job<string, number>> {
  return await disco.newJob("stand_gated", {
    input: Array.from({ length: maps }, (_, i) => `raw://${i}`),
    map: gatedWords,
    reduce: gatedReduce,
    params: { folder, words: 2_000 },
    partitions,
    sort: true,
  });
}

/** Lets tasks go on; `which`: `all`, `map`, `map-on-NODE`, `reduce`. */
function open(folder: string, which: string): void {
  writeFileSync(join(folder, `open-${which}`), "");
}

/** Maps of which an output was recorded, with the nodes that had made it. */
function madeBy(all: readonly Recorded[], job: string): Map<number, string[]> {
  const hosts = new Map<string, string>();
  const made = new Map<number, string[]>();
  for (const { event } of all) {
    if (event.kind === "tasks-assigned") for (const task of event.tasks) hosts.set(attemptOf(task), task.host);
    if (event.kind !== "task-done" || event.job !== job || event.stage !== 0) continue;
    made.set(event.task, [...(made.get(event.task) ?? []), hosts.get(attemptOf(event)) ?? ""]);
  }
  return made;
}

function joins(all: readonly Recorded[], host: string): NodeJoined[] {
  return all.flatMap(({ event }) => (event.kind === "node-joined" && event.host === host ? [event] : []));
}

function byNumber(a: number, b: number): number {
  return a - b;
}

interface Told extends AsyncDisposable {
  /** Attempts that the node said were done, to whoever led. */
  readonly ends: readonly AttemptId[];
}

/** Listens to what a node reports, as a master does. */
async function hearEnds(url: string, host: string): Promise<Told> {
  const engine = await openNats({ url, cluster: standCluster, name: "listener", allowOldEngine: true });
  const ends: AttemptId[] = [];
  engine.connection.subscribe(`${engine.prefix}master.*.report.${host}`, {
    callback: (error, message) => {
      assert.equal(error, null);
      const { reports } = message.json<{ readonly reports: readonly NodeReport[] }>();
      for (const report of reports) if (report.kind === "done") ends.push(report);
    },
  });
  await engine.connection.flush();
  return { ends, [Symbol.asyncDispose]: () => engine.close() };
}

test("nodes that stand still, come back, come back empty or claim a taken name change no byte", {
  skip: skipWithoutNats(),
  timeout: 300_000,
}, async (t) => {
  await using stand = await ProcessStand.open();
  const folder = join(stand.folder, "gates");
  const { url } = stand.nats;
  mkdirSync(folder);
  await using client = stand.client();
  const job = await startGated(client, folder);
  const begun = (pattern: RegExp): string[] => readdirSync(folder).filter((name) => pattern.test(name));
  const mapsDone = async (): Promise<number> => (await job.jobinfo()).stages[0]?.done ?? 0;
  for (const name of stand.nodes.keys()) {
    await stand.until(`${name} runs a map`, () => begun(new RegExp(`^began-map-\\d+-${name}-`)).length > 0);
  }
  const late = Number(/^began-map-(\d+)/.exec(begun(/-n3-/)[0] ?? "")?.[1]);
  await using told = await hearEnds(url, "n3");

  stand.node("n3").pause();
  const pausedAt = performance.now();
  open(folder, "map");

  await t.test("a node that stands still is lost, and what ran there is made elsewhere", async () => {
    await stand.nodesAre("lost", "n3");
    await stand.until("all maps are done", async () => (await mapsDone()) === maps);
    const made = madeBy(await recorded(url), job.name);
    assert.equal(made.size, maps);
    assert.ok([...made.values()].every((hosts) => hosts.length === 1 && hosts[0] !== "n3"));
    await stand.until("reduces have begun", () => begun(/^began-reduce-/).length >= partitions);
  });

  await t.test("a second node with a taken name is refused, and told why", async () => {
    const second = stand.secondNode("n4", "n4-second");
    await second.start(/"code":"name-taken"/);
    await stand.until("it gives up", () => !second.runs);
    assert.match(second.output, /n4[^\n]*"msg":"cannot go on"/);
    assert.equal((await stand.nodeInfo("n4"))?.state, "up");
    assert.equal(joins(await recorded(url), "n4").length, 1, "it was never let in");
  });

  await t.test("a node that comes back with its disk is the same one, and has its outputs", async () => {
    await stand.node("n1").kill();
    await stand.node("n1").start(/"msg":"joined"/);
    await stand.nodesAre("up", "n1");
    const all = await recorded(url);
    const [before, after] = joins(all, "n1");
    assert.equal(after?.incarnation, before?.incarnation);
    const made = madeBy(all, job.name);
    assert.ok([...made.values()].some((hosts) => hosts[0] === "n1"));
    assert.ok(
      [...made.values()].every((hosts) => hosts.length === 1),
      "no map was made again",
    );
  });

  await t.test("a node that comes back without its disk is a new one, and what it had is made again", async () => {
    const its = [...madeBy(await recorded(url), job.name)]
      .filter(([, hosts]) => hosts.at(-1) === "n2")
      .map(([map]) => map);
    assert.ok(its.length > 0);
    await stand.node("n2").kill();
    await rm(stand.disk("n2"), { recursive: true });
    await stand.node("n2").start(/"msg":"joined"/);
    const [before, after] = joins(await recorded(url), "n2");
    assert.notEqual(after?.incarnation, before?.incarnation);
    await stand.until("what it had is made again", async () => {
      const made = madeBy(await recorded(url), job.name);
      return its.every((map) => made.get(map)?.length === 2);
    });
    const made = madeBy(await recorded(url), job.name);
    const again = [...made].filter(([, hosts]) => hosts.length > 1).map(([map]) => map);
    assert.deepEqual(again.toSorted(byNumber), its.toSorted(byNumber), "that, and nothing else");
  });

  await t.test("a node that is woken after a minute joins again, and what it tells late is refused", async () => {
    await passed(Math.max(0, stillMs - (performance.now() - pausedAt)));
    assert.equal((await stand.nodeInfo("n3"))?.state, "lost");
    assert.deepEqual(told.ends, []);
    const outputs = await client.mapresults(job);
    assert.ok(outputs.length > 0);
    for (const address of outputs) assert.match(address, /\/n[124]\//);
    stand.node("n3").wake();
    await stand.node("n3").printed(/"msg":"joined"[^]*"msg":"joined"/);
    await stand.nodesAre("up", "n3");
    await stand.until("it tells what it did", () => told.ends.some((end) => end.stage === 0 && end.task === late));
    const [before, after] = joins(await recorded(url), "n3");
    assert.equal(after?.incarnation, before?.incarnation);
    assert.deepEqual(await client.mapresults(job), outputs);
  });

  open(folder, "reduce");
  const results = await job.wait();
  open(folder, "all");
  await using alone = new Disco("local", { root: join(stand.folder, "alone") });
  assert.equal(await digestOf(results), await digestOf(await (await startGated(alone, folder)).wait()));
  await checkJournal(url);
});
