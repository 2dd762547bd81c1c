import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Line } from "./question.ts";
import { compare, median, powerLaw, summarize } from "./statistics.ts";

test("the median is the middle one, or the mean of the middle two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([10, 1, 4, 2]), 3);
  assert.ok(Number.isNaN(median([])));
});

describe("a line is summed up", () => {
  const wall: Line = {
    name: "wall",
    unit: "s",
    values: [6, 2, 3],
    baseline: { what: "script", values: [2, 2, 4] },
    target: { kind: "ratio-max", value: 1.5 },
  };

  test("with the ratio of medians, the spread, and whether it reached its target", () => {
    const { value, baselineValue, ratio, spread, reached } = summarize(wall);
    assert.deepEqual(
      { value, baselineValue, ratio, spread, reached },
      {
        value: 3,
        baselineValue: 2,
        ratio: 1.5,
        spread: [2, 6],
        reached: true,
      },
    );
    assert.equal(summarize({ ...wall, target: { kind: "ratio-max", value: 1.49 } }).reached, false);
  });

  test("by the highest run where it is a peak", () => {
    const peak: Line = {
      name: "peak",
      unit: "MB",
      values: [90, 120, 100],
      by: "highest",
      target: { kind: "max", value: 110 },
    };
    assert.equal(summarize(peak).value, 120);
    assert.equal(summarize(peak).reached, false);
    assert.equal(summarize({ ...peak, by: "median" }).reached, true);
    assert.equal(summarize({ ...peak, target: { kind: "min", value: 120 } }).reached, true);
  });

  test("without a verdict when it has no target, or was run on other amounts of data", () => {
    const { target: _, ...line } = wall;
    assert.ok(!("reached" in summarize(line)));
    assert.ok(!("reached" in summarize(wall, false)));
  });

  test("a target on a ratio is not reached where there is no baseline", () => {
    const { baseline: _, ...line } = wall;
    assert.equal(summarize(line).reached, false);
  });

  test("there is no ratio to a baseline of nothing", () => {
    const { ratio, reached } = summarize({ ...wall, values: [0], baseline: { what: "script", values: [0] } });
    assert.deepEqual({ ratio, reached }, { ratio: undefined, reached: false });
  });
});

test("two sides differ only when no run of one lies among those of the other", () => {
  assert.deepEqual(compare([1, 2, 3], [4, 5, 6]), { ours: 2, theirs: 5, ratio: 0.4, verdict: "less" });
  assert.equal(compare([4, 5, 6], [1, 2, 3]).verdict, "more");
  assert.equal(compare([1, 2, 4], [3, 5, 6]).verdict, "same");
  assert.equal(compare([1], [9]).verdict, "same", "one run says nothing");
});

test("a power law is found again from points on it, and lies between those around it", () => {
  const amount = fc.double({ min: 0.001, max: 1000, noNaN: true });
  const exponents = fc.double({ min: -2, max: 3, noNaN: true });
  fc.assert(
    fc.property(amount, exponents, fc.integer({ min: 2, max: 6 }), (factor, exponent, count) => {
      const points = Array.from({ length: count }, (_, i) => [10 ** i, factor * 10 ** (i * exponent)] as const);
      const law = powerLaw(points);
      assert.ok(Math.abs(law.exponent - exponent) < 1e-9);
      assert.ok(Math.abs(law.factor / factor - 1) < 1e-9);
    }),
  );
  const { exponent } = powerLaw([
    [1, 1],
    [10, 12],
    [100, 90],
  ]);
  assert.ok(exponent > 0.9 && exponent < 1.1);
  assert.throws(
    () =>
      powerLaw([
        [5, 1],
        [5, 2],
      ]),
    RangeError,
  );
});
