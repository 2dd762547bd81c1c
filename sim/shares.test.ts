import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runShares } from "./shares.ts";

const near = (actual: number | undefined, wanted: number, share: number): void => {
  assert.ok(
    Math.abs((actual ?? 0) - wanted) <= wanted * share,
    `${actual} is not within ${share * 100} % of ${wanted}`,
  );
};

describe("jobs on one cluster", () => {
  it("of equal work, submitted together, end together, whatever the length of their tasks", () => {
    const jobs = [
      { tasks: 400, taskMs: 1_000 },
      { tasks: 4_000, taskMs: 100 },
      { tasks: 1_000, taskMs: 400 },
    ];
    const results = runShares({ nodes: [4, 4], jobs });
    for (const { ms } of results) near(ms, (3 * 400_000) / 8, 0.05);
  });

  it("leave room for a small one beside a huge one", () => {
    const jobs = [
      { tasks: 20_000, taskMs: 1_000 },
      { tasks: 8, taskMs: 1_000, atMs: 60_000 },
    ];
    const small = (policy: "fair" | "fifo") => runShares({ nodes: [4, 4], jobs, policy })[1]?.ms ?? 0;
    // It gets half of the slots as they become free; alone it would take one second.
    assert.ok(small("fair") <= 4_000, `${small("fair")}`);
    assert.ok(small("fifo") > 2_000_000, `${small("fifo")}`);
  });

  it("are none the slower for sharing", () => {
    const jobs = Array.from({ length: 10 }, () => ({ tasks: 80, taskMs: 500 }));
    for (const policy of ["fair", "fifo"] as const) {
      const results = runShares({ nodes: [4, 4], jobs, policy });
      assert.equal(Math.max(...results.map(({ ms }) => ms)), (10 * 80 * 500) / 8);
    }
  });

  it("get to the node that holds their input if that costs little, and to the others if it does not", () => {
    const short = runShares({ nodes: [4, 4], jobs: [{ tasks: 8, taskMs: 1_000, holder: 0 }] });
    assert.equal(short[0]?.ms, 2_000);
    const long = runShares({ nodes: [4, 4], jobs: [{ tasks: 400, taskMs: 1_000, holder: 0 }] });
    near(long[0]?.ms, 400_000 / 8 + 3_000 / 2, 0.02);
    const blocked = runShares({ nodes: [1, 1], jobs: [{ tasks: 2, taskMs: 3_600_000, holder: 0 }] });
    assert.equal(blocked[0]?.ms, 3_603_000);
  });

  it("do not wait for a node that hangs: its tasks are started again elsewhere, once each", () => {
    const jobs = [{ tasks: 80, taskMs: 1_000 }];
    const slowness = [1, 1, 1_000];
    const [helped] = runShares({ nodes: [4, 4, 4], jobs, slowness });
    assert.equal(helped?.attempts, 84);
    assert.ok((helped?.ms ?? 0) < 20_000, `${helped?.ms}`);
    const [alone] = runShares({ nodes: [4, 4, 4], jobs, slowness, speculation: false });
    assert.equal(alone?.ms, 1_000_000);
  });
});
