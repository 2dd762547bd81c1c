import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { type anyKey, anyNumber, anyString, anyValue } from "./arbitrary-values.test-kit.ts";
import { decodeBlock, encodeBlock, encodeRecords } from "./block.ts";
import { Dictionary } from "./block-dictionary.ts";
import { RecordColumns } from "./block-records.ts";
import { hashKey, unknownHash } from "./hash.ts";
import { StringPool } from "./string-pool.ts";

type Pair = readonly [unknown, unknown];

interface Options {
  /** For which records the hash of the key is known. */
  readonly hashedAt?: (i: number) => boolean;
  readonly plain?: boolean;
  /** Before which records `detach` is called. */
  readonly detachAt?: (i: number) => boolean;
}

/** The records as blocks, one for each time that they did not go together, and the estimates of each. */
function blocksOf(
  pairs: readonly Pair[],
  { hashedAt, plain, detachAt }: Options = {},
): { block: Buffer; bytes: number }[] {
  const columns = new RecordColumns();
  if (plain === true) columns.makePlain();
  const blocks: { block: Buffer; bytes: number }[] = [];
  const flush = (): void => {
    const order = Uint32Array.from({ length: columns.count }, (_, i) => i);
    const { bytes } = columns;
    const block = encodeRecords(columns, { order, starts: columns.textStarts(), from: 0, to: order.length });
    blocks.push({ block: Buffer.from(block), bytes });
    columns.clear();
  };
  for (const [i, [key, value]] of pairs.entries()) {
    if (detachAt?.(i)) columns.detach();
    const hash = hashedAt?.(i) === true ? hashKey(key, 7) : unknownHash;
    if (columns.add(0, key, value, hash)) continue;
    flush();
    assert.ok(columns.add(0, key, value, hash));
  }
  flush();
  return blocks;
}

function decoded(blocks: readonly { readonly block: Buffer }[]): Pair[] {
  return blocks.flatMap(({ block }) => {
    const { keys, values } = decodeBlock(block);
    return keys.map((key, i): Pair => [key, values[i]]);
  });
}

/** Parts of two keys that bring FNV-1a, of seed 0, to the same state when those before have done so: found by trying. */
const collidingParts = [
  ["003pwu", "00a5fa"],
  ["004uzx", "00f2ad"],
  ...Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? ["0035zx", "00apcd"] : ["0053zx", "00cpad"])),
];

const few = fc.constantFrom("", "a", "the", "é", "слово", "\ud800", "x".repeat(64));
const long = fc
  .tuple(fc.constantFrom("", "é", "ш"), fc.string({ minLength: 20, maxLength: 90 }))
  .map((p) => p.join(""));
const item = fc.oneof(few, anyString, long, anyNumber, anyValue);
const alike = fc.constantFrom(few, anyString, long, anyNumber, fc.integer());
const column = fc.oneof({ weight: 3, arbitrary: alike }, { weight: 1, arbitrary: fc.constant(item) });
const pairs = fc
  .tuple(column, column)
  .chain(([key, value]) => fc.array(fc.tuple(key as typeof anyKey, value as typeof anyKey), { maxLength: 700 }));

test("records of any mix of types come back as they were, with and without dictionaries", () => {
  fc.assert(
    fc.property(pairs, fc.boolean(), (list, plain) => {
      assert.deepStrictEqual(decoded(blocksOf(list, { plain })), list);
    }),
    { numRuns: 60 },
  );
});

test("neither known hashes nor letting go of texts changes a byte of the blocks, or an estimate", () => {
  fc.assert(
    fc.property(pairs, fc.integer({ min: 1, max: 50 }), (list, step) => {
      const expected = blocksOf(list);
      assert.deepEqual(blocksOf(list, { hashedAt: () => true }), expected);
      assert.deepEqual(blocksOf(list, { hashedAt: (i) => i % step === 0 }), expected);
      assert.deepEqual(blocksOf(list, { hashedAt: (i) => i % step !== 0 }), expected);
      assert.deepEqual(blocksOf(list, { detachAt: (i) => i % step === 0 }), expected);
    }),
    { numRuns: 40 },
  );
});

test("keys that repeat take a byte each, and are read back through a pool of strings", () => {
  const words = ["the", "quick", "brown", "fox", "Straße", "лиса"];
  const list = Array.from({ length: 20_000 }, (_, i): Pair => [words[i % words.length], 1]);
  const [first, second] = [blocksOf(list), blocksOf(list)].map((blocks) => blocks[0]?.block as Buffer);
  assert.ok((first as Buffer).length < 20_200, `${(first as Buffer).length} bytes`);
  const pool = new StringPool();
  const keys = [first, second].map((block) => decodeBlock(block as Buffer, 0, pool).keys);
  for (const column of keys)
    assert.deepEqual(
      column,
      list.map(([key]) => key),
    );
});

test("keys that were made to have one hash keep their numbers, whether it is known or not", () => {
  const list = collidingParts.reduce((keys, parts) => keys.flatMap((key) => parts.map((part) => key + part)), [""]);
  assert.equal(new Set(list).size, 1024);
  assert.equal(new Set(list.map((key) => hashKey(key, 0))).size, 1);
  const dictionary = new Dictionary();
  const expected = list.map((_, i) => i);
  for (const known of [true, false, true]) {
    const ids = list.map((key) => dictionary.idOf(key, known ? hashKey(key, 0) : unknownHash));
    assert.deepEqual(ids, expected);
  }
});

test("a pool of strings keeps the texts of no blocks alive", () => {
  const often = Array.from({ length: 500 }, (_, i) => `https://example.org/often/${i}`.padEnd(64, "x"));
  const pool = new StringPool();
  const heapBytes = (): number => {
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
    return process.memoryUsage().heapUsed;
  };
  const before = heapBytes();
  for (let i = 0; i < 150; i++) {
    const keys = [...often, ...often, `https://example.org/once/${i}`.padEnd(64, "y"), "é", `ш${"w".repeat(20)}${i}`];
    assert.deepEqual(decodeBlock(encodeBlock(keys, keys), 0, pool).keys, keys);
  }
  const bytes = heapBytes() - before;
  pool.share([]);
  // The texts are 5 MB.
  assert.ok(bytes < 2e6, `${bytes} bytes`);
});

test("strings that do not repeat give up their dictionary, with all that came before", () => {
  const list = Array.from({ length: 40_000 }, (_, i): Pair => [`key ${i} é`, i % 2 === 0 ? `ш${i}` : `value ${i}`]);
  const blocks = blocksOf(list);
  assert.equal(blocks.length, 1);
  assert.deepStrictEqual(decoded(blocks), list);
});

test("a dictionary that is full begins anew, in a block of its own", () => {
  const list = Array.from({ length: 150_000 }, (_, i): Pair => [i < 16_384 ? "same" : `k${i >>> 1}`, 0]);
  const blocks = blocksOf(list);
  assert.ok(blocks.length > 1);
  assert.deepStrictEqual(decoded(blocks), list);
});

test("strings too long for a dictionary end it, early and late", () => {
  for (const at of [3, 20_000]) {
    const list = Array.from(
      { length: 21_000 },
      (_, i): Pair => [i === at ? "long".repeat(40) : `k${i % 7}`, `v${i % 5}`],
    );
    const blocks = blocksOf(list);
    assert.equal(blocks.length, at === 3 ? 1 : 2);
    assert.deepStrictEqual(decoded(blocks), list);
  }
});

test("columns that gave back their memory take records again", () => {
  const columns = new RecordColumns();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 2000; i++) assert.ok(columns.add(0, `k${i % 9}`, i + 0.5, -1));
    assert.equal(columns.count, 2000);
    columns.release();
    assert.equal(columns.bytes, 0);
  }
});
