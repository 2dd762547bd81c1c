import assert from "node:assert/strict";
import { test } from "node:test";
import { Wake } from "./wake.ts";

const longMs = 60_000;

test("a wait ends with a call, with one that came before it, and with its time", async () => {
  const wake = new Wake();
  const waits = wake.wait(longMs);
  wake.call();
  await waits;
  wake.call();
  wake.call();
  await wake.wait(longMs);
  const began = performance.now();
  await wake.wait(20);
  // Both calls from before were one.
  assert.ok(performance.now() - began >= 15);
});
