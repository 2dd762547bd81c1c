import assert from "node:assert/strict";
import { test } from "node:test";
import { requireNumbers } from "./numbers.ts";
import type { Line } from "./question.ts";

const answer = (...lines: Line[]) => ({ lines, memory: [] });
const line: Line = { name: "a decision", unit: "µs", values: [1, 0] };

test("an answer in numbers passes, a baseline's too", () => {
  requireNumbers("P7", answer(line, { ...line, baseline: { what: "fewer tasks", values: [2, 3] } }));
});

test("the question, the line and the run are named of a value that is no number", () => {
  for (const [value, shown] of [
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [undefined, "undefined"],
  ] as const) {
    const wrong = { ...line, values: [1, value as number] };
    assert.throws(() => requireNumbers("P7", answer(line, wrong)), {
      name: "RangeError",
      message: new RegExp(`^P7, "a decision": run 2 gave ${shown}, which is no number`),
    });
  }
});

test("the baseline is named of a value that is no number", () => {
  const wrong = { ...line, baseline: { what: "fewer tasks", values: [Number.NaN] } };
  assert.throws(() => requireNumbers("P7", answer(wrong)), /^RangeError: P7, "a decision", beside fewer tasks: run 1 /);
});

test("a line without values is named", () => {
  assert.throws(() => requireNumbers("P7", answer({ ...line, values: [] })), /P7, "a decision": no run gave a value/);
});
