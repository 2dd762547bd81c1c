/** Networks that are neither whole nor gone: one direction lost, flapping, slow, and split with a minority that must decide nothing. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { hostNames, masterHosts, type Network, nodeOn, openNetwork, whyNoNetwork } from "./network.test-kit.ts";

const shape = { maps: 10 };
const slowBitsPerSecond = 1_000_000;
const places = [...hostNames, "tests"];

describe("five hosts with a bad network", { skip: whyNoNetwork(), timeout: 400_000 }, () => {
  let network: Network;
  let expected: string;
  before(async () => {
    network = await openNetwork();
    expected = await network.expected(shape);
  });
  after(() => network?.[Symbol.asyncDispose]());

  const lostOf = (output: string): string[] => output.split("\n").filter((line) => line.includes("the node is lost"));
  const lost = (): string[] => masterHosts.flatMap((host) => lostOf(network.master(host).output));

  test("short outages, five of them: no node is lost, and no task runs twice", async () => {
    const host = await network.followingMaster();
    const job = await network.submit(shape);
    await job.everywhere();
    const flapping = network.hosts.flap(host, { times: 5, downMs: 700, upMs: 700 });
    job.open(`map-on-${nodeOn(host)}`);
    await flapping;
    job.open("all");
    assert.equal(await job.results(), expected);
    assert.deepEqual(lost(), []);
    const maps = (await job.assignments()).filter((line) => line.startsWith("map:"));
    assert.equal(maps.length, shape.maps, maps.join());
  });

  test("a slow link: nobody is declared dead because of bulk data, and the slow node's tasks end", async (t) => {
    const bulk = { maps: 5, words: 250_000 };
    const host = await network.followingMaster();
    const alone = await network.expected(bulk);
    const job = await network.submit(bulk);
    await job.everywhere();
    await network.hosts.slow(host, slowBitsPerSecond);
    const sent = await network.hosts.sentBytes(host);
    const start = performance.now();
    job.open("all");
    assert.equal(await job.results(), alone);
    const bytes = (await network.hosts.sentBytes(host)) - sent;
    t.diagnostic(`${bytes} bytes left the slow node in ${Math.round(performance.now() - start)} ms`);
    await network.hosts.hasten(host);
    assert.ok(bytes > 300_000, `${bytes} bytes are not enough to fill the line`);
    assert.deepEqual(lost(), []);
  });

  for (const what of ["is not heard", "hears nobody"] as const) {
    test(`a node that ${what} is given up, and comes back when the line is whole again`, async () => {
      const host = await network.followingMaster();
      const node = nodeOn(host);
      const others = places.filter((name) => name !== host);
      const cut = (how: "lose" | "find"): Promise<unknown> =>
        Promise.all(
          others.map((other) =>
            what === "hears nobody" ? network.hosts[how](other, host) : network.hosts[how](host, other),
          ),
        );
      const job = await network.submit(shape);
      await job.everywhere();
      await cut("lose");
      job.open(`map-on-${node}`);
      await network.until("the node is lost", async () => (await network.nodeState(node)) === "lost");
      await cut("find");
      await network.until("the node is back", async () => (await network.nodeState(node)) === "up");
      job.open("all");
      assert.equal(await job.results(), expected);
    });
  }

  test("a minority with the leading master and the stream's leader decides nothing; the majority ends the job", async (t) => {
    const leader = await network.leadingMaster();
    const other = await network.followingMaster();
    const minority = [leader, await network.natsLeader("DJ_net_journal")];
    const majority = hostNames.filter((host) => !minority.includes(host));
    const pairs = minority.flatMap((a) => majority.map((b) => [a, b] as const));
    const job = await network.submit(shape);
    await job.everywhere();
    const known = (await network.client.joblist()).map(({ name }) => name);
    const results = job.results();
    const start = performance.now();
    await Promise.all(pairs.map(([a, b]) => network.hosts.separate(a, b)));
    await network.master(other).printed(/"leading"/);
    t.diagnostic(`takeover ${Math.round(performance.now() - start)} ms after the split`);
    await using alone = network.clientOf(leader, 3);
    await assert.rejects(network.submit({ maps: 1 }, alone), { code: "engine-away" });
    job.open("all");
    assert.equal(await results, expected);
    t.diagnostic(`job done ${Math.round(performance.now() - start)} ms after the split`);
    const old = network.master(leader);
    const said = (await network.ask(leader, `jobs/${encodeURIComponent(job.name)}`).catch(() => null)) as {
      status?: string;
    } | null;
    assert.notEqual(said?.status, "ready", "the minority cannot know");
    await Promise.all(pairs.map(([a, b]) => network.hosts.rejoin(a, b)));
    await network.until("the old master ends", () => !old.runs);
    assert.match(old.output, /"code":"deposed"/);
    await old.start(/"serving"/);
    await network.until("all nodes are back", async () =>
      (await network.client.nodeinfo()).every(({ state }) => state === "up"),
    );
    const jobs = (await network.client.joblist()).map(({ name }) => name);
    assert.deepEqual(jobs.toSorted(), known.toSorted(), "what the minority was given is no job");
  });
});
