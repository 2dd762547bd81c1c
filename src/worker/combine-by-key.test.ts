import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { CombinerFn } from "./combine.ts";
import { makeEmitter } from "./emit.ts";

type Written = readonly [partition: number, key: unknown, value: unknown];

interface Job {
  readonly combiner: CombinerFn;
  readonly pairs: readonly (readonly [unknown, unknown])[];
  readonly partitions: number | null;
  readonly budgetBytes: number;
}

/** What the writer gets, and what was thrown. */
function written({ combiner, pairs, partitions, budgetBytes }: Job, combinerByKey: boolean): [Written[], unknown] {
  const calls: Written[] = [];
  const plan = { partitions, label: 9, partition: null, combiner, combinerByKey, seed: 7, params: {}, budgetBytes };
  const { emit, flush } = makeEmitter(plan, {
    add: (...[partition, key, value]) => calls.push([partition, key, value]),
  });
  let thrown: unknown;
  try {
    for (const [key, value] of pairs) emit(key, value);
    flush();
  } catch (error) {
    thrown = String(error);
  }
  return [calls, thrown];
}

/** All of these ask only for their own key. */
const combiners: Readonly<Record<string, CombinerFn>> = {
  sum: (key, value, buffer) => {
    buffer.set(key, ((buffer.get(key) as number | undefined) ?? 0) + (value as number));
  },
  returnsTheBuffer: (key, value, buffer) => buffer.set(key, value),
  first: (key, value, buffer) => buffer.has(key) || buffer.set(key, value),
  lists: (key, value, buffer) => {
    const before = buffer.get(key) as unknown[] | undefined;
    if (before === undefined) buffer.set(key, [value]);
    else before.push(value);
  },
  outAtThree: (key, value, buffer) => {
    const n = ((buffer.get(key) as number | undefined) ?? 0) + 1;
    if (n < 3) return void buffer.set(key, n);
    buffer.delete(key);
    return [[key, value]];
  },
  comesAndGoes: (key, _value, buffer) => {
    if (!buffer.delete(key)) buffer.set(key, undefined);
  },
  passesOn: (key, value) => [
    [key, value],
    [value, key],
  ],
  badResult: (key, value, buffer) => (value === 3 ? 17 : void buffer.set(key, value)),
  badPair: (key, value, buffer) => (value === 3 ? [[1]] : void buffer.set(key, value)),
  throws: (key, value, buffer) => {
    buffer.set(key, value);
    if (value === 4) throw new RangeError("four");
  },
};

const plainKey = fc.oneof(
  fc.string({ maxLength: 2 }),
  fc.integer({ min: -2, max: 3 }),
  fc.constantFrom(0, -0, Number.NaN, null, undefined, true, false, 1n, 1.5, "1"),
);
const shared = { a: 1 };
const oddKey = fc.constantFrom<unknown>(shared, ["x"], new Date(5), Symbol.iterator, () => 1);
const value = fc.integer({ min: 0, max: 4 });

function same(key: fc.Arbitrary<unknown>): void {
  const jobs = fc.record({
    combiner: fc.constantFrom(...Object.values(combiners)),
    pairs: fc.array(fc.tuple(key, value), { maxLength: 600, size: "max" }),
    partitions: fc.constantFrom(null, 1, 2, 5),
    budgetBytes: fc.constantFrom(0, 300, 2_000, 1e9),
  });
  fc.assert(fc.property(jobs, (job) => assert.deepEqual(written(job, true), written(job, false))));
}

describe("a combiner with one buffer for all partitions writes what one with a buffer for each writes", () => {
  it("call by call, whatever it does to its key and whenever buffers are full", () => same(plainKey));

  it("also where keys are objects, or have no hash", () => same(fc.oneof({ weight: 9, arbitrary: plainKey }, oddKey)));

  it("also when a key that is an object changes between two pairs", () => {
    const run = (byKey: boolean) => {
      const key = { a: 0 };
      const pairs = [
        ["s", 1],
        [key, 1],
        ["t", 1],
      ] as const;
      const combiner: CombinerFn = (k, v, buffer) => {
        key.a++;
        buffer.set(k, v);
      };
      return structuredClone(written({ combiner, pairs, partitions: 5, budgetBytes: 1e9 }, byKey));
    };
    assert.deepEqual(run(true), run(false));
  });
});
