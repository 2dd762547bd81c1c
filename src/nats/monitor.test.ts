import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeMonitor } from "./monitor.test-kit.ts";
import { durabilityOf } from "./monitor.ts";

/** As NATS 2.10 answers: `/varz` and `/jsz` have the same configuration. */
function monitor(name: string, config: object, jsz: object = { config }): Promise<FakeMonitor> {
  const varz = { server_name: name, version: "2.10.14", jetstream: { config } };
  return FakeMonitor.open(async (path) => ({ json: path === "/varz" ? varz : jsz }));
}

const always = { sync_interval: 120e9, sync_always: true, store_dir: "/var/lib/nats" };
const seldom = { sync_interval: 120e9, store_dir: "/var/lib/nats" };

describe("what the monitors of NATS tell of the journal", () => {
  it("is that it survives a loss of power when each server that keeps it syncs each record", async () => {
    await using a = await monitor("a", always);
    await using b = await monitor("b", always, { disabled: true });
    await using spare = await monitor("spare", seldom);
    assert.deepEqual(await durabilityOf([a.url, b.url, spare.url], ["a", "b"]), { durable: "fsync", notes: [] });
  });

  it("names the server that does not, how often it syncs, and where", async () => {
    await using a = await monitor("a", always);
    await using b = await monitor("b", seldom);
    const { durable, notes } = await durabilityOf([a.url, b.url], ["a", "b"]);
    assert.equal(durable, "process-crash");
    assert.deepEqual(notes, [
      "server b (NATS 2.10.14) acknowledges records before it syncs them in /var/lib/nats, every 120 s: sync_interval is not always",
    ]);
  });

  it("is not enough when a server that keeps it is not among them, does not answer, or is something else", async () => {
    await using a = await monitor("a", always);
    const missing = await durabilityOf([a.url], ["a", "b"]);
    assert.deepEqual(missing, {
      durable: "process-crash",
      notes: ["no monitor tells of server b, which keeps the journal"],
    });
    const gone = await FakeMonitor.open(async () => ({ json: {} }));
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    const silent = await durabilityOf([a.url, url], ["a"]);
    assert.equal(silent.durable, "process-crash");
    assert.match(silent.notes.join(), /does not tell what it should: fetch failed: .*ECONNREFUSED/);
    for (const pages of [
      async () => ({ json: [] }),
      async () => ({ json: null }),
      async () => ({ status: 401, json: { server_name: "a", version: "2.10.0" } }),
    ]) {
      await using other = await FakeMonitor.open(pages);
      const told = await durabilityOf([other.url], ["a"]);
      assert.deepEqual([told.durable, told.notes.length], ["process-crash", 2]);
    }
  });

  it("is nothing as long as the engine does not say who keeps the journal", async () => {
    await using a = await monitor("a", always);
    const { durable, notes } = await durabilityOf([a.url], null);
    assert.deepEqual(
      [durable, notes],
      ["process-crash", ["the engine does not say yet which of its servers keep the journal"]],
    );
  });
});
