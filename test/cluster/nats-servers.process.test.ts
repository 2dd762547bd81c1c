/** Three servers of NATS as the tests of the cluster use them: whatever is killed or paused, the others elect, and it comes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startNatsServers, whyNoNats } from "./nats-servers.test-kit.ts";

const options = { skip: whyNoNats() ?? false, timeout: 120_000 };

test(
  "another server leads when the one that led is killed, and all agree again when it is back",
  options,
  async (t) => {
    await using servers = await startNatsServers(3);
    const before = await servers.leader();
    const killed = performance.now();
    await servers.processes[before]?.kill();
    const after = await servers.leader();
    t.diagnostic(`another server led after ${Math.round(performance.now() - killed)} ms`);
    assert.notEqual(after, before);
    await servers.start();
    assert.ok(servers.processes.every(({ runs }) => runs));
  },
);

test("all servers killed at once come back with a leader, on the same addresses", options, async () => {
  await using servers = await startNatsServers(3);
  const { url } = servers;
  await servers.killAll();
  assert.ok(servers.processes.every(({ runs }) => !runs));
  await servers.start();
  assert.equal(servers.url, url);
});

test("a server that is paused says nothing, and goes on as the same process when it is woken", options, async () => {
  await using servers = await startNatsServers(1);
  const [server] = servers.processes;
  assert.ok(server !== undefined);
  const { pid } = server;
  assert.equal(await servers.answers(0, 5_000), true);
  server.pause();
  assert.equal(await servers.answers(0, 200), false);
  server.wake();
  assert.equal(await servers.answers(0, 5_000), true);
  assert.equal(server.pid, pid);
});
