import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyKey } from "../protocol/arbitrary-values.test-kit.ts";
import { sameKey } from "../protocol/order.ts";
import { kvgroup } from "./kvgroup.ts";
import { type Batch, Records } from "./storage/batch.ts";
import { arraysSource } from "./storage/storage.test-kit.ts";

type Pair = readonly [unknown, unknown];

/** The same pairs as an array, a generator, and our own records in batches of different sizes. */
function* forms(pairs: readonly Pair[]): Generator<Iterable<Pair>> {
  yield pairs;
  yield pairs.values();
  for (const size of [1, 3, 100]) yield new Records(arraysSource(batches(pairs, size)));
}

function batches(pairs: readonly Pair[], size: number): Batch[] {
  const result: Batch[] = [];
  for (let at = 0; at < pairs.length; at += size) {
    const part = pairs.slice(at, at + size);
    result.push({ keys: part.map(([key]) => key), values: part.map(([, value]) => value), n: part.length });
  }
  return result;
}

function naive(pairs: readonly Pair[]): [unknown, unknown[]][] {
  const groups: [unknown, unknown[]][] = [];
  for (const [key, value] of pairs) {
    const last = groups.at(-1);
    if (last !== undefined && sameKey(last[0], key)) last[1].push(value);
    else groups.push([key, [value]]);
  }
  return groups;
}

test("neighbours with the same key are a group, whatever the keys and however they come", () => {
  const key = fc.oneof(anyKey, fc.constantFrom("a", "b", 0, -0, Number.NaN));
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.integer({ min: 1, max: 4 })), { maxLength: 15 }), (stretches) => {
      const pairs = stretches.flatMap(([k, n]) => Array.from({ length: n }, (_, i): Pair => [k, i]));
      for (const form of forms(pairs)) {
        assert.deepStrictEqual([...kvgroup(form)].length, naive(pairs).length);
      }
      for (const form of forms(pairs)) {
        const groups = kvgroup(form).map(([k, group]) => [k, group.toArray()]);
        assert.deepStrictEqual([...groups], naive(pairs));
      }
    }),
  );
});

test("a group has the methods of an iterator", () => {
  const pairs: Pair[] = [
    ["a", 1],
    ["a", 2],
    ["a", 3],
  ];
  for (const use of [
    (g: IteratorObject<number>) => g.reduce((sum, n) => sum + n, 0) === 6,
    (g: IteratorObject<number>) => g.reduce((sum, n) => sum * 10 + n) === 123,
    (g: IteratorObject<number>) =>
      g
        .map((n) => n * 2)
        .toArray()
        .join() === "2,4,6",
    (g: IteratorObject<number>) =>
      g
        .filter((n) => n > 1)
        .take(1)
        .toArray()
        .join() === "2",
    (g: IteratorObject<number>) => Math.max(...g) === 3,
    (g: IteratorObject<number>) => {
      let text = "";
      g.forEach((n, i) => {
        text += `${i}${n} `;
      });
      return text === "01 12 23 ";
    },
    (g: IteratorObject<number>) => new Set(g).size === 3,
    (g: IteratorObject<number>) => (g as unknown as { count(): number }).count() === 3,
  ]) {
    for (const form of forms(pairs)) {
      const results = [...kvgroup(form as Iterable<readonly [string, number]>)].length;
      assert.equal(results, 1);
    }
    for (const form of forms(pairs)) {
      for (const [, group] of kvgroup(form as Iterable<readonly [string, number]>)) {
        assert.ok(use(group), String(use));
      }
    }
  }
});

test("what is left of a group is skipped, and a group that was passed is empty", () => {
  const pairs: Pair[] = [
    ["a", 1],
    ["a", 2],
    ["b", 3],
    ["b", 4],
    ["c", 5],
  ];
  for (const form of forms(pairs)) {
    const kept = [];
    for (const [key, group] of kvgroup(form)) {
      for (const value of group) {
        assert.equal(value, { a: 1, b: 3, c: 5 }[key as string]);
        break;
      }
      kept.push(group);
    }
    assert.equal(kept.length, 3);
    for (const group of kept) assert.deepEqual([...group], []);
  }
});

test("leaving the loop closes the input", () => {
  const source = arraysSource(
    batches(
      [
        ["a", 1],
        ["b", 2],
      ],
      10,
    ),
  );
  for (const [key] of kvgroup(new Records(source))) if (key === "a") break;
  assert.equal(source.closed, 1);
});

test("a key with millions of values takes constant memory", () => {
  const keys = new Array<unknown>(1000).fill("k");
  let left = 5000;
  const source = { nextBatch: () => (left-- > 0 ? { keys, values: keys, n: 1000 } : null), close() {} };
  const counts = kvgroup(new Records(source)).map(([, group]) => group.reduce((n: number) => n + 1, 0));
  assert.deepEqual([...counts], [5_000_000]);
});

test("over an asynchronous iterable groups are asynchronous", async () => {
  let closed = false;
  async function* pairs(): AsyncGenerator<readonly [string, number]> {
    try {
      yield* [
        ["a", 1],
        ["a", 2],
        ["b", 3],
        ["c", 4],
        ["c", 5],
      ] as const;
    } finally {
      closed = true;
    }
  }
  const sums = [];
  for await (const [key, group] of kvgroup(pairs())) {
    if (key === "a") sums.push(await group.reduce((a, n) => a + n, 0));
    if (key === "c") sums.push(...(await group.toArray()));
  }
  assert.deepEqual(sums, [3, 4, 5]);
  assert.ok(closed);
});

test("entries that are no pairs, and inputs that are no iterables, are refused", () => {
  assert.throws(() => [...kvgroup(["ab"] as never)], { code: "bad-pair", message: /expected, got 'ab'/ });
  assert.throws(() => kvgroup(5 as never), { code: "bad-pair", message: /expected, got 5/ });
});
