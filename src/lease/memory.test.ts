import assert from "node:assert/strict";
import { test } from "node:test";
import { leaseContract } from "./contract.ts";
import { MemoryLease } from "./memory.ts";

leaseContract("memory", async () => {
  const lease = new MemoryLease();
  return { leases: [lease, lease], dispose: async () => undefined };
});

test("a lease ends at its time by the clock that it was given, and not before", async () => {
  let now = 0;
  const lease = new MemoryLease(() => now);
  await lease.tryAcquire("leader", "a", 1_000);
  now = 999;
  assert.equal(await lease.tryAcquire("leader", "b", 1_000), false);
  now = 1_000;
  assert.equal(await lease.holder("leader"), null);
  assert.equal(await lease.renew("leader", "a", 1_000), false);
  assert.equal(await lease.tryAcquire("leader", "b", 1_000), true);
});
