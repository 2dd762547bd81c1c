import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ledger } from "../journal/ledger.ts";
import { Authority } from "./authority.ts";
import type { CoordinatorParts } from "./coordinator-parts.ts";

/** Of a journal whose engine is away since `since`, at the time `now`. */
class Leader extends Authority {
  protected override ledger: Ledger;

  constructor(since: number | null, now: number) {
    super({ now: () => now } as CoordinatorParts, null);
    this.ledger = { awaySince: since } as Ledger;
  }
}

test("who waits for what needs an engine that is away for seconds is told so, whatever becomes of it", async () => {
  const work = Promise.withResolvers<string>();
  await assert.rejects(new Leader(1_000, 9_000).unlessAway(work.promise), {
    code: "engine-away",
    message: /8 s/,
    retry: "here",
  });
  // Nobody waits for it any more, and that is no unhandled rejection.
  work.reject(new Error("deposed"));
  await new Promise((turn) => setImmediate(turn));
});

test("an engine that answers, or is away for a moment, is waited for", async () => {
  for (const since of [null, 8_000]) {
    const work = Promise.withResolvers<string>();
    const waiting = new Leader(since, 9_000).unlessAway(work.promise);
    setTimeout(() => work.resolve("job"), 300);
    assert.equal(await waiting, "job");
  }
});
