/** Three servers of NATS as the tests of the cluster use them: whatever is killed or paused, the others elect, and it comes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NatsServers, skipWithoutNats } from "../../src/nats/server.test-kit.ts";

const options = { skip: skipWithoutNats(), timeout: 120_000 };

test(
  "another server leads when the one that led is killed, and all agree again when it is back",
  options,
  async (t) => {
    await using servers = await NatsServers.start({ count: 3 });
    const before = await servers.leader();
    const killed = performance.now();
    await servers.kill(before);
    const after = await servers.leader();
    t.diagnostic(`another server led after ${Math.round(performance.now() - killed)} ms`);
    assert.notEqual(after, before);
    await servers.startAll();
    assert.ok(servers.runs(before));
  },
);

test("all servers killed at once come back with a leader, on the same addresses", options, async () => {
  await using servers = await NatsServers.start({ count: 3 });
  const { url } = servers;
  await servers.killAll();
  assert.ok(servers.ports.every((_, index) => !servers.runs(index)));
  await servers.startAll();
  assert.equal(servers.url, url);
});

test("a server that is paused says nothing, and goes on as the same process when it is woken", options, async () => {
  await using servers = await NatsServers.start();
  const pid = servers.pid(0);
  assert.equal(await servers.answers(0, 5_000), true);
  servers.pause(0);
  assert.equal(await servers.answers(0, 200), false);
  servers.wake(0);
  assert.equal(await servers.answers(0, 5_000), true);
  assert.equal(servers.pid(0), pid);
});
