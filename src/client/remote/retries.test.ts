import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Retries, retryAfterSeconds } from "./retries.ts";

describe("retries", () => {
  it("wait longer each time, differ by chance, and end when the time is up", async () => {
    const gaps: number[] = [];
    const retries = new Retries({ budgetMs: () => 700, random: () => 1 });
    let last = performance.now();
    while (await retries.again()) {
      gaps.push(performance.now() - last);
      last = performance.now();
    }
    // 50, 100, 200, and what is left.
    assert.ok(gaps.length >= 4, `${gaps}`);
    for (const [i, least] of [48, 98, 198].entries()) assert.ok((gaps[i] ?? 0) >= least, `${gaps}`);
    assert.ok(retries.seconds >= 0.69);
    retries.reset();
    assert.equal(retries.seconds, 0);
    // A busy machine makes any of them longer.
    const halves: number[] = [];
    for (let i = 0; i < 10 && Math.min(...halves) >= 48; i++) {
      const begun = performance.now();
      await new Retries({ budgetMs: () => 700, random: () => 0 }).again();
      halves.push(performance.now() - begun);
    }
    assert.ok(Math.min(...halves) < 48, `${halves}`);
  });

  it("are none where there is no time, or the server wants more than there is", async () => {
    assert.equal(await new Retries({ budgetMs: () => 0 }).again(), false);
    assert.equal(await new Retries({ budgetMs: () => 500 }).again(30), false);
  });

  it("end when they are called off", async () => {
    const stop = new AbortController();
    const waiting = new Retries({ budgetMs: () => 60_000, signal: stop.signal }).again(30);
    stop.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
  });

  it("take seconds from the header and nothing else", () => {
    const taken = ["3", "0", undefined, "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "1e3"].map(retryAfterSeconds);
    assert.deepEqual(taken, [3, 0, null, null, null, null, null]);
  });
});
