/** A node as `disco node` runs it, on the bus of a master in this process. */
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fromJsonBytes, toJsonBytes } from "../../src/bus/json.ts";
import type { DiscoError } from "../../src/errors.ts";
import { packOf, scriptedWorker } from "../../src/master/fixtures/packs.ts";
import { silentLog } from "../../src/master/log.ts";
import { type NodeProcess, openNodeProcess } from "../../src/node/node-process.ts";
import { resolveClusterSettings } from "../../src/settings/cluster.ts";
import { Stand } from "./in-process.test-kit.ts";

function open(stand: Stand, node: string, flags: Record<string, string> = {}): Promise<NodeProcess> {
  const given = { config: "none", engine: "nats://unused", root: join(stand.folder, node), port: "0", workers: "1" };
  const { settings } = resolveClusterSettings("node", {
    flags: { ...given, node, ...flags },
    env: {},
    cwd: stand.folder,
  });
  // A process closes its bus when it ends; this one is everybody's.
  const bus = Object.assign(Object.create(stand.bus) as typeof stand.bus, { close: () => Promise.resolve() });
  for (const name of ["request", "publish", "serve", "subscribe"] as const) {
    Object.assign(bus, { [name]: stand.bus[name].bind(stand.bus) });
  }
  return openNodeProcess(settings, { bus: () => Promise.resolve(bus), log: silentLog, workerScript: scriptedWorker });
}

test("a node process joins, serves its data, runs tasks, and is lost at once when it says goodbye", async () => {
  await using stand = await Stand.open({ hosts: [], workerScript: scriptedWorker });
  const process = await open(stand, "p");
  await stand.until(() => stand.isConnected("p"));
  assert.equal((await fetch(`${process.url}/healthz`)).status, 200);
  assert.equal((await fetch(`${process.url}/disco/p/00/nothing/x`)).status, 404);
  const job = await stand.master.submit(packOf(["ok"], { tasks: 3 }));
  assert.equal((await stand.master.results([job], 20_000))[0]?.status, "ready");
  await process.close();
  assert.equal(stand.isConnected("p"), false);
});

test("a node with a token shows its data to nobody else", async () => {
  await using stand = await Stand.open({ hosts: [], workerScript: scriptedWorker });
  const token = "cluster-token-cluster-token";
  const flags = { config: "none", engine: "nats://unused", root: join(stand.folder, "t"), port: "0", node: "t" };
  const env = { DISCO_TOKEN: token };
  const { settings } = resolveClusterSettings("node", { flags, env, cwd: stand.folder });
  const process = await openNodeProcess(settings, {
    bus: () => Promise.resolve(stand.bus),
    log: silentLog,
    workerScript: scriptedWorker,
  });
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`${process.url}/disco/t/00/nothing/x`, { headers })).status;
  assert.deepEqual(
    [
      await status({}),
      await status({ authorization: "Bearer wrong" }),
      await status({ authorization: `Bearer ${token}` }),
    ],
    [401, 401, 404],
  );
  assert.equal((await fetch(`${process.url}/healthz`)).status, 200);
  await process.close();
});

test("two processes never share a disk, and the lock is free when the first one has ended", async () => {
  await using stand = await Stand.open({ hosts: [], workerScript: scriptedWorker });
  const first = await open(stand, "v");
  await assert.rejects(open(stand, "v"), { code: "volume-busy" });
  await first.close();
  await (await open(stand, "v")).close();
});

test("a process whose name is taken gives up after a while, with the reason", { timeout: 60_000 }, async () => {
  await using stand = await Stand.open({ hosts: ["taken"], workerScript: scriptedWorker });
  const process = await open(stand, "taken", { suspectAfter: "1.5s", deadAfter: "1.6s" });
  const error = await process.failed;
  assert.equal((error as { code?: string }).code, "name-taken");
  await process.close();
  assert.ok(stand.isConnected("taken"));
});

test("a node whose disk cannot be read any more says so when it is to join, and gives up after a while", {
  timeout: 60_000,
}, async () => {
  await using stand = await Stand.open({ hosts: [], workerScript: scriptedWorker });
  const process = await open(stand, "far", { suspectAfter: "1.5s", deadAfter: "1.6s" });
  await stand.until(() => stand.isConnected("far"));
  const home = join(stand.folder, "far", "node", "data", "far");
  await rm(home, { recursive: true });
  await writeFile(home, "no folder");
  await stand.endMaster();
  await stand.startMaster();
  const error = (await process.failed) as DiscoError;
  assert.equal(error.code, "node-unable");
  assert.match(error.message, /this node cannot say what it has: E[A-Z]+: /);
  assert.match(error.hint ?? "", /See to the disks/);
  await process.close();
});

test("a node that joins and cannot fetch from its master says that its tasks will fail, and why", async () => {
  await using stand = await Stand.open({ hosts: [], workerScript: scriptedWorker });
  const said = Promise.withResolvers<{ fields: object; message: string }>();
  const log = { ...silentLog, error: (fields: object, message: string) => said.resolve({ fields, message }) };
  const flags = { config: "none", engine: "nats://unused", root: join(stand.folder, "far"), port: "0", node: "far" };
  const { settings } = resolveClusterSettings("node", { flags, env: {}, cwd: stand.folder });
  // Its master advertises what nobody listens at.
  const bus = Object.assign(Object.create(stand.bus) as typeof stand.bus, { close: () => Promise.resolve() });
  for (const name of ["request", "publish", "serve"] as const) {
    Object.assign(bus, { [name]: stand.bus[name].bind(stand.bus) });
  }
  bus.subscribe = (subject, listener) =>
    stand.bus.subscribe(subject, (bytes, from) => {
      const isNotice = subject === "leader";
      listener(isNotice ? toJsonBytes({ ...fromJsonBytes<object>(bytes), url: "http://127.0.0.1:9" }) : bytes, from);
    });
  const process = await openNodeProcess(settings, {
    bus: () => Promise.resolve(bus),
    log,
    workerScript: scriptedWorker,
  });
  const { fields, message } = await said.promise;
  assert.match(message, /its tasks will fail: http:\/\/127\.0\.0\.1:9 cannot be reached/);
  assert.match(JSON.stringify(fields), /--advertise/);
  assert.ok(stand.isConnected("far"), "it stays in");
  await process.close();
});
