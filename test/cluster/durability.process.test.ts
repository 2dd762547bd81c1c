/** The label of durability, by what real servers of NATS tell of themselves. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { MasterInfo } from "../../src/client/master-api.ts";
import { openNatsJournal } from "../../src/journal/nats.ts";
import { type NatsEngine, openNats } from "../../src/nats/connection.ts";
import { FakeMonitor } from "../../src/nats/monitor.test-kit.ts";
import { NatsServers, skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { TestProcess } from "./process.test-kit.ts";

const options = { skip: skipWithoutNats(), timeout: 120_000 };

async function capsOf(engine: NatsEngine, monitors?: readonly string[]) {
  const journal = await openNatsJournal(engine, monitors === undefined ? {} : { monitors });
  await journal.close();
  return journal.caps;
}

test("three servers that sync now and then are told apart from three that sync each record", options, async () => {
  await using servers = await NatsServers.start({ count: 3 });
  const engine = await openNats({ url: servers.url, name: "test", allowOldEngine: true });
  try {
    const untold = await capsOf(engine);
    assert.deepEqual([untold.durable, untold.replicas, untold.notes], ["process-crash", 3, []]);
    assert.match(untold.version ?? "", /^\d+\.\d+\.\d+/);

    const honest = await capsOf(engine, servers.monitors);
    assert.equal(honest.durable, "process-crash");
    assert.equal(honest.notes?.length, 3);
    for (const note of honest.notes ?? [])
      assert.match(note, /^server \S+ \(NATS \S+\) acknowledges records before it syncs them in /);

    // No server here can sync each record: its pages say so in the place where those of 2.10 would.
    const [a = "", b = "", c = ""] = servers.monitors;
    await using first = await FakeMonitor.syncing(a);
    await using second = await FakeMonitor.syncing(b);
    await using third = await FakeMonitor.syncing(c);
    assert.equal((await capsOf(engine, [first.url, second.url, c])).notes?.length, 1);
    assert.match(
      (await capsOf(engine, [first.url, second.url])).notes?.join() ?? "",
      /^no monitor tells of server \S+/,
    );
    const all = await capsOf(engine, [first.url, second.url, third.url]);
    assert.deepEqual([all.durable, all.notes], ["fsync", []]);
  } finally {
    await engine.close();
  }
});

test("a master on one server says what could be lost, in its log and when it is asked", options, async () => {
  await using servers = await NatsServers.start();
  const root = await mkdtemp(join(tmpdir(), "disco-durability-"));
  const flags = ["--engine", servers.url, "--engine-monitor", servers.monitors.join(), "--root", root, "--port", "0"];
  await using master = new TestProcess({
    name: "master",
    command: process.execPath,
    args: ["bin/disco.js", "master", ...flags, "--allow-old-engine"],
    env: { DISCO_CONFIG: "none", DISCO_TOKEN: "", DISCO_MASTER: "" },
  });
  try {
    const [, url = ""] = await master.start(/"url":"([^"]+)"[^\n]*"msg":"serving"/);
    await master.printed(/"replicas":1,[^\n]*three servers of NATS[^\n]*the journal has fewer than three copies/);
    const { journal } = (await (await fetch(`${url}/api/v1/master`)).json()) as MasterInfo;
    assert.deepEqual([journal.engine, journal.durable, journal.replicas], ["nats", "process-crash", 1]);
    assert.match(journal.notes?.join() ?? "", /acknowledges records before it syncs them/);
  } finally {
    await master.end();
    await rm(root, { recursive: true });
  }
});

test("a server that is alone is asked by its name", options, async () => {
  await using servers = await NatsServers.start();
  const engine = await openNats({ url: servers.url, name: "test", allowOldEngine: true });
  try {
    assert.equal((await capsOf(engine, servers.monitors)).notes?.length, 1);
    await using syncing = await FakeMonitor.syncing(servers.monitors[0] ?? "");
    const { durable, replicas } = await capsOf(engine, [syncing.url]);
    assert.deepEqual([durable, replicas], ["fsync", 1]);
  } finally {
    await engine.close();
  }
});
