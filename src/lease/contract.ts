/**
 * What every lease has to do (LS1-LS3). An implementation's test calls `leaseContract` with a factory that gives two leases of one
 * engine, as two masters have them. Who wants a lease asks again and again, as standbys do: an engine may need to have
 * seen it unchanged for its time before it is free.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Lease } from "./lease.ts";

export interface LeasesUnderTest {
  readonly leases: readonly [Lease, Lease];
  readonly dispose: () => Promise<void>;
}

const ttlMs = 400;
const askEveryMs = 25;
/** LS2 allows a second after the time; the rest is for a busy machine. */
const lateMsMax = 1_000 + 2_000;
const long = 60_000;

export function leaseContract(name: string, open: () => Promise<LeasesUnderTest>): void {
  const scenario = (title: string, act: (a: Lease, b: Lease) => Promise<void>): void => {
    it(title, async () => {
      const { leases, dispose } = await open();
      try {
        await act(...leases);
      } finally {
        await dispose();
      }
    });
  };

  describe(`${name} keeps leases`, () => {
    scenario("a free lease is given to who asks, and to nobody else while it lasts", async (a, b) => {
      assert.equal(await a.holder("leader"), null);
      assert.equal(await a.tryAcquire("leader", "a", long), true);
      assert.equal(await b.tryAcquire("leader", "b", long), false);
      assert.deepEqual([await a.holder("leader"), await b.holder("leader")], ["a", "a"]);
    });

    scenario("asking for what one has is as good as renewing it", async (a, b) => {
      assert.equal(await a.tryAcquire("leader", "a", long), true);
      assert.equal(await a.tryAcquire("leader", "a", long), true);
      assert.equal(await a.renew("leader", "a", long), true);
      assert.equal(await b.tryAcquire("leader", "b", long), false);
    });

    scenario("of many that ask at once one gets it", async (a, b) => {
      for (let round = 0; round < 10; round++) {
        const askers = Array.from({ length: 8 }, (_, n) => `asker ${n}`);
        const answers = await Promise.all(
          askers.map((asker, n) => (n % 2 === 0 ? a : b).tryAcquire(`lease-${round}`, asker, long)),
        );
        assert.equal(answers.filter(Boolean).length, 1);
        assert.equal(await b.holder(`lease-${round}`), askers[answers.indexOf(true)]);
      }
    });

    scenario("leases of different names do not touch each other", async (a, b) => {
      assert.equal(await a.tryAcquire("leader", "a", long), true);
      assert.equal(await b.tryAcquire("collector", "b", long), true);
      await b.release("collector", "b");
      assert.equal(await b.holder("leader"), "a");
      assert.equal(await a.holder("collector"), null);
    });

    scenario("one that is given up is free at once", async (a, b) => {
      await a.tryAcquire("leader", "a", long);
      await a.release("leader", "a");
      assert.equal(await b.holder("leader"), null);
      assert.equal(await b.tryAcquire("leader", "b", long), true);
      assert.equal(await a.renew("leader", "a", long), false);
    });

    scenario("only its holder renews it or gives it up", async (a, b) => {
      await a.tryAcquire("leader", "a", long);
      assert.equal(await b.renew("leader", "b", long), false);
      await b.release("leader", "b");
      assert.equal(await b.holder("leader"), "a");
      assert.equal(await b.renew("free", "b", long), false);
    });

    scenario("one that is not renewed goes to who asks for it, not before its time and soon after", async (a, b) => {
      const beganMs = performance.now();
      await a.tryAcquire("leader", "a", ttlMs);
      await untilAcquired(b, "b", ttlMs);
      const tookMs = performance.now() - beganMs;
      // Timers of engines may be a few milliseconds early.
      assert.ok(tookMs >= ttlMs * 0.9, `free after ${tookMs} ms`);
      assert.ok(tookMs <= ttlMs + lateMsMax, `free after ${tookMs} ms`);
      assert.equal(await a.renew("leader", "a", ttlMs), false);
      assert.equal(await a.tryAcquire("leader", "a", ttlMs), false);
    });

    scenario("one that is renewed stays with its holder for longer than its time", async (a, b) => {
      const holdMs = 1_000;
      const beganMs = performance.now();
      await a.tryAcquire("leader", "a", holdMs);
      while (performance.now() - beganMs < 2 * holdMs) {
        assert.equal(await a.renew("leader", "a", holdMs), true);
        assert.equal(await b.tryAcquire("leader", "b", holdMs), false);
        await delay(askEveryMs);
      }
    });
  });
}

async function untilAcquired(lease: Lease, holder: string, timeMs: number): Promise<void> {
  while (!(await lease.tryAcquire("leader", holder, timeMs))) await delay(askEveryMs);
}
