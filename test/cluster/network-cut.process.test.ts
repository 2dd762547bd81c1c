/** Hosts that are cut off from all others while a word count runs: a node's, the leading master's, that of the stream's leader. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { masterHosts, type Network, nodeOn, openNetwork, whyNoNetwork } from "./network.test-kit.ts";

const shape = { maps: 10 };
/** Of a takeover that waits for the lease's end on a machine that others use as well. */
const takeoverMsMax = 20_000;

describe("of five hosts one is cut off", { skip: whyNoNetwork(), timeout: 400_000 }, () => {
  let network: Network;
  let expected: string;
  before(async () => {
    network = await openNetwork();
    expected = await network.expected(shape);
  });
  after(() => network?.[Symbol.asyncDispose]());

  test("a node that is cut off for longer than its death: its tasks go elsewhere, and its late reports change nothing", async () => {
    const host = await network.followingMaster();
    const node = nodeOn(host);
    const job = await network.submit(shape);
    await job.everywhere();
    const cut = (await job.assignments()).filter((line) => line.endsWith(` ${node}`));
    assert.ok(cut.length > 0);
    await network.hosts.unplug(host);
    // It ends its tasks, and nobody hears of it.
    job.open(`map-on-${node}`);
    await network.until("the node is lost", async () => (await network.nodeState(node)) === "lost");
    job.open("map");
    await network.until("the reduces run", () => job.began("reduce").length > 0);
    const before = await job.assignments();
    for (const line of cut) {
      const [task = ""] = line.split(" ");
      const places = before.filter((other) => other.startsWith(`${task} `));
      assert.equal(places.length, 2, `${task} ran once more: ${places.join()}`);
    }
    const joined = network.node(node).output.split('"joined"').length;
    await network.hosts.plug(host);
    await network.until("the node is back", async () => (await network.nodeState(node)) === "up");
    await network.until("it joined again", () => network.node(node).output.split('"joined"').length > joined);
    job.open("reduce");
    assert.equal(await job.results(), expected);
    const maps = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith("map:"));
    assert.deepEqual(maps(await job.assignments()), maps(before));
    const received = (await job.events()).flatMap(({ message }) => /Received results from.*/.exec(message) ?? []);
    assert.equal(received.length, 10 + 4, "each task counts once");
  });

  test("the leading master is cut off: the other takes over, the client goes on, and the old one ends with the reason", async (t) => {
    const host = await network.leadingMaster();
    const other = await network.followingMaster();
    const job = await network.submit(shape);
    await job.everywhere();
    const results = job.results();
    const start = performance.now();
    await network.hosts.unplug(host);
    await network.master(other).printed(/"leading"/);
    const takeoverMs = performance.now() - start;
    t.diagnostic(`takeover ${Math.round(takeoverMs)} ms after the cable was pulled`);
    assert.ok(takeoverMs < takeoverMsMax, `${takeoverMs} ms`);
    job.open("all");
    assert.equal(await results, expected);
    t.diagnostic(`job done ${Math.round(performance.now() - start)} ms after the cable was pulled`);
    const old = network.master(host);
    assert.ok(old.runs, old.output);
    await network.hosts.plug(host);
    await network.until("the old master ends", () => !old.runs);
    assert.match(old.output, /"code":"deposed"/);
    assert.match(old.output, /another master/);
    await old.start(/"serving"/);
    await network.until("it follows", async () => (await network.role(host)) === "follows");
    const states = (await network.ask(host, `jobs/${encodeURIComponent(job.name)}`)) as { status?: string };
    assert.equal(states.status, "ready", "it tells what happened while it was away");
  });

  test("the server of NATS that leads the journal's stream is cut off: the cluster goes on", async (t) => {
    const host = await network.natsLeader("DJ_net_journal");
    const job = await network.submit(shape);
    await job.everywhere();
    const start = performance.now();
    await network.hosts.unplug(host);
    job.open("all");
    assert.equal(await job.results(), expected);
    t.diagnostic(`job done ${Math.round(performance.now() - start)} ms after the cable was pulled`);
    // Until the stream has another leader nobody can renew the lease: the other master may have taken over, and the first one ended.
    const ended = masterHosts.filter((one) => !network.master(one).runs);
    for (const one of ended) assert.match(network.master(one).output, /"code":"deposed"/);
    assert.ok(ended.length < masterHosts.length, "a master leads");
    const others = network.nodes.filter((name) => name !== nodeOn(host));
    await network.until("all other nodes are up", async () => {
      const states = await Promise.all(others.map((name) => network.nodeState(name)));
      return states.every((state) => state === "up");
    });
    await network.hosts.plug(host);
    await network.until("its node is back", async () => (await network.nodeState(nodeOn(host))) === "up");
  });
});
