import assert from "node:assert/strict";
import { test } from "node:test";
import { mixHash } from "./byte-table.ts";

/** The number that undoes a multiplication by an odd number, in 32 bits: by Newton's method, which doubles the right digits. */
function inverseOf(factor: number): number {
  let inverse = factor;
  for (let i = 0; i < 5; i++) inverse = Math.imul(inverse, 2 - Math.imul(factor, inverse));
  return inverse;
}

test("words that would have one hash without its seed have many", () => {
  const back = inverseOf(0x85ebca6b);
  const hashes = new Set<number>();
  const words = 4096;
  for (let first = 1; first <= words; first++) {
    // Both halves of the hash cancel each other out to the same number.
    const second = Math.imul(Math.imul(first, 0x9e3779b1) ^ 0x12345678, back) - 8;
    hashes.add(mixHash(first, second | 0, 8, 0) & 0xffff);
  }
  assert.ok(hashes.size > words / 2, `${hashes.size} different places for ${words} words`);
});
