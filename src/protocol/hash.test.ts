import assert from "node:assert/strict";
import { test } from "node:test";
import { hashKey } from "./hash.ts";

test("hashes are the same in every version", () => {
  const keys = ["", "a", "word", "é😀", 0, 1, -1, 1.5, 2 ** 40, 10n, null, undefined, true, false, [1, "a"], { a: 1 }];
  assert.deepEqual(
    keys.map((key) => hashKey(key, 42)),
    golden,
  );
});

test("1 and '1' and 1n and [1] have different hashes", () => {
  const hashes = [1, "1", 1n, [1], ["1"], [1n], true].map((key) => hashKey(key, 0));
  assert.equal(new Set(hashes).size, hashes.length);
});

test("few partitions get equal shares of words, integers and pairs", () => {
  const kinds: ((i: number) => unknown)[] = [
    (i) => `word${i}`,
    (i) => i,
    (i) => i * 1024,
    (i) => i / 8,
    (i) => [i, "a"],
  ];
  for (const kind of kinds) {
    for (const partitions of [2, 4, 7, 16]) {
      for (const seed of [0, 1, 99]) {
        const shares = new Array<number>(partitions).fill(0);
        for (let i = 0; i < 8000; i++) {
          const partition = hashKey(kind(i), seed) % partitions;
          shares[partition] = (shares[partition] ?? 0) + 1;
        }
        const fair = 8000 / partitions;
        for (const share of shares) assert.ok(Math.abs(share - fair) < fair * 0.25, `${kind(1)}: ${shares}`);
      }
    }
  }
});

// biome-ignore format: a table
const golden = [
  3110992366, 2468424034, 2440514129, 289463972, 52679326, 3375600698, 3915973852, 1868237474,
  2579698260, 2079326747, 2437586149, 3097153109, 3888642628, 3257628396, 136238523, 1282562510,
];
