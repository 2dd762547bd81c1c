import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryShares } from "./memory-shares.ts";

const mega = 1024 * 1024;

test("a worker's buffers share what the process leaves of its memory limit", () => {
  assert.deepEqual(memoryShares((64 + 768) * mega), {
    inputBytes: 128 * mega,
    outputBytes: 128 * mega,
    combinerBytes: 64 * mega,
  });
  assert.deepEqual(memoryShares(72 * mega), { inputBytes: 3 * mega, outputBytes: 3 * mega, combinerBytes: 1.5 * mega });
});

test("buffers stay within the reach of 32 bits, whatever the limit is", () => {
  // Besides what waits, there is the record that made it full: two wide strings of half a gigabyte.
  const recordBytesMax = 2 * 2 * 2 ** 29;
  for (const bytes of Object.values(memoryShares(1024 * 1024 * mega))) assert.ok(bytes + recordBytesMax < 2 ** 32);
});
