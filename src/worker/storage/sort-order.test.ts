import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { anyKey, anyNumber, anyString } from "../../protocol/arbitrary-values.test-kit.ts";
import { compareValues } from "../../protocol/order.ts";
import { sortedOrder } from "./sort-order.ts";

function assertSorted(keys: readonly unknown[]): void {
  const order = sortedOrder(keys);
  assert.equal(new Set(order).size, keys.length);
  for (let i = 1; i < order.length; i++) {
    const [a, b] = [order[i - 1] as number, order[i] as number];
    const step = compareValues(keys[a], keys[b]);
    assert.ok(step < 0 || (step === 0 && a < b), `${inspect(keys[a])} before ${inspect(keys[b])}`);
  }
}

test("keys of any type are sorted, and equal ones keep their order", () => {
  const prefixed = fc.tuple(fc.constantFrom("", "http://a.com/", "http://a.com/x/y"), fc.string({ maxLength: 4 }));
  for (const key of [
    anyKey,
    anyString,
    anyNumber,
    fc.constantFrom("a", "a\0", "a\0\0", ""),
    prefixed.map((p) => p.join("")),
  ]) {
    fc.assert(fc.property(fc.array(key as fc.Arbitrary<unknown>, { maxLength: 120 }), assertSorted), { numRuns: 200 });
  }
});

test("large sorts take the same order by wide digits", () => {
  const keys = Array.from({ length: 40_000 }, (_, i) => `k${(i * 7919) % 30_011}`);
  assertSorted(keys);
  assertSorted(keys.map((key) => Number(key.slice(1)) - 15_000.5));
  assertSorted(keys.map((key, i) => (i % 3 === 0 ? key : [i % 100, key])));
});

test("keys that each extend the one before do not overflow the stack", () => {
  assertSorted(Array.from({ length: 1000 }, (_, i) => "a".repeat(1000 - i)));
  assertSorted(Array.from({ length: 1000 }, (_, i) => "\0".repeat((i * 37) % 50)));
});
