import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyKey, anyNumber, anyString } from "./arbitrary-values.test-kit.ts";
import { hashKey } from "./hash.ts";
import { compareValues, sameKey } from "./order.ts";
import { keyPrefix, numberPrefix, stringPrefix } from "./order-prefix.ts";
import { decodeValue, encodeValue } from "./value.ts";

test("the documented order holds over types", () => {
  const ascending = [
    undefined,
    null,
    false,
    true,
    -Infinity,
    -1.5,
    -1,
    0,
    1e-300,
    1,
    2,
    10,
    2 ** 53,
    Infinity,
    Number.NaN,
    -5n,
    0n,
    7n,
    "",
    "A",
    "a",
    "a\0",
    "aa",
    "b",
    "é",
    "\uffff",
    "\u{1f600}",
    new Date(0),
    new Date(5),
    new Date(Number.NaN),
    new Uint8Array([]),
    new Uint8Array([1]),
    new Uint8Array([1, 0]),
    new Uint8Array([200]),
    new ArrayBuffer(0),
    [],
    [undefined],
    [1],
    [1, "a"],
    [1, "b"],
    ["a"],
    [[]],
    new Set(),
    new Set([new Map(), undefined]),
    new Set([1]),
    new Map([[1, 2]]),
    {},
    { a: 1 },
    { a: 1, b: 0 },
    { b: 0 },
    /a/,
    new Error("a"),
    Object(1),
  ];
  for (let i = 0; i < ascending.length; i++) {
    for (let j = 0; j < ascending.length; j++) {
      assert.equal(Math.sign(compareValues(ascending[i], ascending[j])), Math.sign(i - j), `${i} and ${j}`);
    }
  }
});

test("strings are ordered by code point", () => {
  const wellFormed = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(wellFormed, wellFormed, (a, b) => {
      const expected = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.equal(Math.sign(compareValues(a, b)), expected);
    }),
  );
});

test("strings with a long common beginning are ordered as short ones are", () => {
  const texts = fc.tuple(
    anyString,
    fc.nat(3_000),
    fc.constantFrom("x", "ÿ", "Ā", "\ud800", "\u{1f600}"),
    anyString,
    anyString,
  );
  fc.assert(
    fc.property(texts, ([start, times, filler, a, b]) => {
      const common = start + filler.repeat(times);
      assert.equal(compareValues(common + a, common + b), compareValues(`x${a}`, `x${b}`));
      assert.equal(compareValues(common + a, common), a.length);
    }),
    { numRuns: 2000 },
  );
});

test("it is a total order", () => {
  fc.assert(
    fc.property(anyKey, anyKey, anyKey, (a, b, c) => {
      assert.equal(Math.sign(compareValues(a, b)), -Math.sign(compareValues(b, a)) + 0);
      // Boxed, because sort never asks about undefined.
      const [x, y, z] = [[a], [b], [c]].sort(compareValues).map(([key]) => key);
      assert.ok(compareValues(x, y) <= 0 && compareValues(y, z) <= 0 && compareValues(x, z) <= 0);
      assert.equal(compareValues(a, decodeValue(encodeValue(a))), 0);
    }),
    { numRuns: 2000 },
  );
});

test("prefixes never contradict the order", () => {
  fc.assert(
    fc.property(anyKey, anyKey, (a, b) => {
      const [x, y] = [keyPrefix(a), keyPrefix(b)];
      assert.ok(Number.isSafeInteger(x) && x < 2 ** 52);
      if (x !== y) assert.equal(Math.sign(x - y), Math.sign(compareValues(a, b)));
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(anyString, anyString, (a, b) => {
      const difference = stringPrefix(a, 0) - stringPrefix(b, 0);
      if (difference !== 0) assert.equal(Math.sign(difference), Math.sign(compareValues(a, b)));
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(anyNumber, anyNumber, (a, b) => {
      const difference = numberPrefix(a) - numberPrefix(b);
      if (difference !== 0) assert.equal(Math.sign(difference), Math.sign(compareValues(a, b)));
    }),
    { numRuns: 3000 },
  );
});

test("same keys: SameValueZero, and by contents", () => {
  for (const [a, b] of [
    [0, -0],
    [Number.NaN, Number.NaN],
    [
      [1, [0]],
      [1, [-0]],
    ],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [new Date(1), new Date(1)],
  ]) {
    assert.ok(sameKey(a, b));
    assert.equal(hashKey(a, 7), hashKey(b, 7));
  }
  for (const [a, b] of [
    [1, "1"],
    [1, 1n],
    [null, undefined],
    ["", 0],
    [[], {}],
    [[1], ["1"]],
    [false, 0],
  ]) {
    assert.ok(!sameKey(a, b));
  }
});

test("same keys have the same hash", () => {
  fc.assert(
    fc.property(anyKey, anyKey, fc.integer(), (a, b, seed) => {
      const hash = hashKey(a, seed);
      assert.ok(hash >>> 0 === hash);
      assert.equal(hashKey(decodeValue(encodeValue(a)), seed), hash);
      if (sameKey(a, b)) assert.equal(hashKey(b, seed), hash);
    }),
    { numRuns: 2000 },
  );
});
