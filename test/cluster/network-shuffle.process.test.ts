/** What goes from node to node: a shuffle that is cut in its middle, compression on the line, an address that nobody reaches. */
import assert from "node:assert/strict";
import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Network, nodeOn, openNetwork, whyNoNetwork } from "./network.test-kit.ts";

const bulk = { maps: 10, words: 60_000 };
/** So much that what else leaves a host meanwhile hardly counts. */
const large = { maps: 10, words: 240_000 };
const slowBitsPerSecond = 200_000;
/** So many have left a node when its outputs are on their way, and not all of them there. */
const someBytes = 30_000;

describe("the shuffle between five hosts", { skip: whyNoNetwork(), timeout: 400_000 }, () => {
  let network: Network;
  let expected: string;
  before(async () => {
    network = await openNetwork();
    expected = await network.expected(bulk);
  });
  after(() => network?.[Symbol.asyncDispose]());

  test("outputs go compressed from host to host", async (t) => {
    const node = nodeOn("h1");
    const job = await network.submit(large);
    await job.everywhere();
    // No reduce runs on the node itself: all of its outputs leave it.
    const sent = await network.hosts.sentBytes("h1");
    let stored = 0;
    job.open("map");
    await network.until("reduces run", () => {
      stored = Math.max(stored, segmentBytes(node, job.name));
      return job.began("reduce").length > 0;
    });
    job.open("reduce");
    assert.equal(await job.results(), await network.expected(large));
    const bytes = (await network.hosts.sentBytes("h1")) - sent;
    t.diagnostic(`${stored} bytes of outputs, ${bytes} bytes left the host, heartbeats and NATS among them`);
    assert.ok(stored > 2_000_000, `${stored}`);
    assert.ok(bytes < stored * 0.8, `${bytes} of ${stored}`);
  });

  test("a node that is cut off in the middle of the shuffle: its maps run again, and no others", async (t) => {
    const host = await network.followingMaster();
    const node = nodeOn(host);
    const job = await network.submit(bulk);
    await job.everywhere();
    await network.hosts.slow(host, slowBitsPerSecond);
    job.open("map");
    await network.until("the maps are done", async () =>
      (await job.events()).some(({ message }) => message.startsWith("Stage map finished")),
    );
    const sent = await network.hosts.sentBytes(host);
    await network.until(
      "outputs are on their way",
      async () => (await network.hosts.sentBytes(host)) > sent + someBytes,
    );
    const before = await job.assignments();
    await network.hosts.unplug(host);
    job.open("reduce");
    assert.equal(await job.results(), expected);
    const lost = before.filter((line) => line.startsWith("map:") && line.endsWith(` ${node}`));
    assert.ok(lost.length > 0, before.join());
    const again = (await job.assignments()).slice(before.length).filter((line) => line.startsWith("map:"));
    t.diagnostic(`on ${node} were ${lost.join(", ")}; again: ${again.join(", ")}`);
    const tasksOf = (lines: readonly string[]): string[] => lines.map((line) => line.split(" ")[0] ?? "").toSorted();
    assert.deepEqual(tasksOf(again), tasksOf(lost));
    await network.hosts.hasten(host);
    await network.hosts.plug(host);
    await network.until("the node is back", async () => (await network.nodeState(node)) === "up");
  });

  test("a node with an address that nobody reaches is not let in, and told the address and the setting", async () => {
    const address = `${network.hosts.address("h1").replace(/\d+$/, "77")}:8990`;
    await using node = network.nodeProcess("h1", "astray", ["--advertise", `http://${address}`]);
    const [line] = await node.start(/.*does not let this node in yet.*/);
    assert.ok(line.includes(`http://${address}`), line);
    assert.match(line, /node-unreachable/);
    assert.match(line, /--advertise/);
    assert.equal(await network.nodeState("astray"), undefined);
  });

  function segmentBytes(node: string, job: string): number {
    const files = globSync(join(network.dataDir(node), "**", job, ".disco", "*.seg"));
    return files.reduce((sum, file) => sum + statSync(file).size, 0);
  }
});
