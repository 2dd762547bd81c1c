import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { anyKey, anyNumber, anyString } from "../../protocol/arbitrary-values.test-kit.ts";
import { RecordColumns } from "../../protocol/block-records.ts";
import { compareValues } from "../../protocol/order.ts";
import { sortByKey } from "./column-order.ts";
import { orderByLabel } from "./label-order.ts";

/** Sorts keys as buffered records of `labels` labels, and compares with a stable sort by `compareValues`. */
function assertSorted(keys: readonly unknown[], plain: boolean, labels = 1): void {
  const columns = new RecordColumns();
  if (plain) columns.makePlain();
  for (const [i, key] of keys.entries()) {
    // A key that does not go with those before begins a new run.
    if (!columns.add(i % labels, key, `value ${i}`, -1)) {
      assertSorted(keys.slice(i), plain, labels);
      return;
    }
  }
  const starts = columns.textStarts();
  const { order, ranges } = orderByLabel(columns.labels, columns.count, labels);
  for (const { label, from, to } of ranges) {
    sortByKey(columns.keys, columns.text.bytes, starts, order, from, to);
    const sorted = order.subarray(from, to);
    const count = keys.filter((_, i) => i % labels === label).length;
    assert.equal(new Set(sorted).size, count);
    for (let r = 0; r < sorted.length; r++) {
      const [a, b] = [sorted[r - 1] ?? -1, sorted[r] as number];
      assert.equal(b % labels, label);
      const step = r === 0 ? -1 : compareValues(keys[a], keys[b]);
      if (step > 0 || (step === 0 && a > b)) assert.fail(`${inspect(keys[a])} before ${inspect(keys[b])}`);
    }
  }
}

test("buffered records are sorted as their keys compare, whatever the column holds", () => {
  const prefixed = fc.tuple(
    fc.constantFrom("", "http://a.com/", "http://a.com/é/y", "ш/ш/ш"),
    fc.string({ maxLength: 4 }),
  );
  const kinds = [
    anyKey,
    anyString,
    anyNumber,
    fc.integer({ min: -300, max: 300 }),
    fc.constantFrom("a", "a\0", "a\0\0", "", "\ud800", "\uffff", "\u{1f600}", "é"),
    prefixed.map((p) => p.join("")),
  ];
  for (const key of kinds) {
    fc.assert(
      fc.property(
        fc.array(key as fc.Arbitrary<unknown>, { maxLength: 120 }),
        fc.boolean(),
        fc.constantFrom(1, 3),
        (keys, plain, labels) => assertSorted(keys, plain, labels),
      ),
      { numRuns: 100 },
    );
  }
});

test("tens of thousands of them are sorted the same way", () => {
  const keys = Array.from({ length: 40_000 }, (_, i) => `k${(i * 7919) % 30_011}`);
  assertSorted(keys, true);
  assertSorted(keys, false, 3);
  assertSorted(
    keys.map((key) => key.slice(0, 3)),
    false,
    3,
  );
  assertSorted(
    keys.map((key, i) => (i % 3 === 0 ? `ш${key}` : key)),
    true,
  );
  assertSorted(
    keys.map((key) => Number(key.slice(1)) - 15_000.5),
    true,
  );
});

test("strings that each extend the one before do not overflow the stack", () => {
  assertSorted(
    Array.from({ length: 1000 }, (_, i) => "a".repeat(1000 - i)),
    true,
  );
  assertSorted(
    Array.from({ length: 1000 }, (_, i) => "\0".repeat((i * 37) % 50)),
    true,
  );
});
