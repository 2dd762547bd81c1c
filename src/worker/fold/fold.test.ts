import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { count, distinct, first, last, max, min, sum, top } from "../../fn/folds.ts";
import { anyKey } from "../../protocol/arbitrary-values.test-kit.ts";
import { decodeBlock, encodeBlock } from "../../protocol/block.ts";
import { hashKey } from "../../protocol/hash.ts";
import { compareValues, sameKey } from "../../protocol/order.ts";
import type { CombinerFn } from "../combine.ts";
import { type EmitPlan, makeEmitter } from "../emit.ts";
import type { OwnRecipe } from "../own.ts";
import { ArraySource, Records } from "../storage/batch.ts";
import { type FoldRun, reduceFold, runFoldReduce } from "./fold-reduce.ts";

type Pair = readonly [key: unknown, value: unknown];
type AnyFold = (...args: readonly unknown[]) => unknown;

const scratchDir = mkdtempSync(join(tmpdir(), "disco-fold-"));
after(() => rmSync(scratchDir, { recursive: true, force: true }));

const folds = { sum, count, min, max, first, last, distinct, "top(3)": top(3) } as unknown as Record<string, AnyFold>;

const key = fc.oneof({ weight: 5, arbitrary: fc.constantFrom("", "a", "b", "é", 0, -0, 1, Number.NaN, null) }, anyKey);
const numbers = fc.array(fc.tuple(key, fc.integer({ min: -5, max: 5 })), { maxLength: 60 });
const anything = fc.array(fc.tuple(key, fc.oneof(fc.integer({ min: -2, max: 2 }), anyKey)), { maxLength: 60 });

function pairsFor(name: string): fc.Arbitrary<Pair[]> {
  return name === "sum" || name.startsWith("top") ? numbers : anything;
}

function byEngine(fold: AnyFold, pairs: readonly Pair[], changes: Partial<FoldRun>, batch: number): Pair[] {
  const emitted: Pair[] = [];
  const recipe = reduceFold(fold);
  assert.ok(recipe !== null);
  const batches = Array.from({ length: Math.ceil(pairs.length / batch) }, (_, i) =>
    pairs.slice(i * batch, (i + 1) * batch),
  );
  const sources = batches.map(
    (part) =>
      new ArraySource(
        part.map(([k]) => k),
        part.map(([, v]) => v),
      ),
  );
  const records = new Records({
    nextBatch: () => sources.shift()?.nextBatch() ?? null,
    close: () => {},
  });
  const run = {
    emit: (k: unknown, v: unknown) => emitted.push([k, v]),
    isSorted: false,
    tableBytes: 1e9,
    sortBytes: 1e9,
    scratchDir,
    ...changes,
  };
  assert.equal(runFoldReduce(recipe, records, run), undefined);
  return emitted;
}

function sorted(pairs: Iterable<unknown>): Pair[] {
  return [...(pairs as Iterable<Pair>)].sort((a, b) => compareValues(a[0], b[0]) || compareValues(a[1], b[1]));
}

function sameRecords(actual: Pair[], expected: Pair[]): void {
  assert.equal(actual.length, expected.length);
  for (const [i, pair] of actual.entries()) assert.ok(sameKey(pair, expected[i]), `record ${i}`);
}

for (const [name, fold] of Object.entries(folds)) {
  test(`${name} as reduce gives what the plain function gives, sorted, unsorted, and when its table is full`, () => {
    fc.assert(
      fc.property(
        pairsFor(name),
        fc.constantFrom(1, 300, 1e9),
        fc.boolean(),
        fc.integer({ min: 1, max: 20 }),
        (pairs, tableBytes, isSorted, batch) => {
          const input = isSorted ? pairs.toSorted((a, b) => compareValues(a[0], b[0])) : pairs;
          const ours = byEngine(fold, input, { tableBytes, isSorted, sortBytes: 1_000 }, batch);
          const plain = [...(fold(input) as Iterable<Pair>)];
          if (name.startsWith("top")) return sameRecords(ours, plain);
          if (isSorted) {
            // Keys ascend; the pairs of `distinct` with one key may be in another order.
            for (let i = 1; i < ours.length; i++) assert.ok(compareValues(ours[i - 1]?.[0], ours[i]?.[0]) <= 0);
          }
          sameRecords(sorted(ours), sorted(plain));
        },
      ),
      { numRuns: 150 },
    );
  });

  if (name.startsWith("top")) continue;
  test(`${name} as combiner writes what, reduced again, is the result, whatever the budget is`, () => {
    fc.assert(
      fc.property(
        pairsFor(name),
        fc.constantFrom(1, 500, 1e9),
        fc.constantFrom(null, 1, 4),
        (pairs, budgetBytes, partitions) => {
          const plan: EmitPlan = {
            partitions,
            label: 9,
            partition: null,
            combiner: fold as CombinerFn,
            seed: 3,
            params: {},
            budgetBytes,
          };
          const written: Pair[] = [];
          const emitter = makeEmitter(plan, {
            add: (partition, k, v) => {
              assert.ok(partitions === null ? partition === 9 : partition < partitions);
              written.push([k, v]);
            },
          });
          for (const [k, v] of pairs) emitter.emit(k, v);
          emitter.flush();
          if (budgetBytes === 1e9 && name !== "distinct") {
            for (const [i, [k]] of written.entries())
              assert.ok(!written.slice(0, i).some(([other]) => sameKey(other, k)));
          }
          const reduce = name === "count" ? folds["sum"] : fold;
          sameRecords(sorted((reduce as AnyFold)(written) as Iterable<Pair>), sorted(fold(pairs) as Iterable<Pair>));
        },
      ),
      { numRuns: 150 },
    );
  });
}

test("sums of floating-point numbers are added in the order of the records, in every way", () => {
  const pairs: Pair[] = Array.from({ length: 200 }, (_, i) => [`k${i % 3}`, 0.1 * i]);
  const expected = [...((folds["sum"] as AnyFold)(pairs) as Iterable<Pair>)];
  assert.deepEqual(byEngine(folds["sum"] as AnyFold, pairs, {}, 7), expected);
  const inOrder = pairs.toSorted((a, b) => compareValues(a[0], b[0]));
  assert.deepEqual(byEngine(folds["sum"] as AnyFold, inOrder, { isSorted: true }, 7), expected);
});

test("bigints are summed, and what is no number or a mixture is an error that names key and value", () => {
  const fold = folds["sum"] as AnyFold;
  assert.deepEqual(
    byEngine(
      fold,
      [
        ["a", 2n],
        ["a", 2n ** 70n],
      ],
      {},
      9,
    ),
    [["a", 2n ** 70n + 2n]],
  );
  for (const changes of [{}, { isSorted: true }]) {
    assert.throws(
      () =>
        byEngine(
          fold,
          [
            ["a", 1],
            ["a", "x"],
          ],
          changes,
          9,
        ),
      { code: "bad-value", message: /'x' of the key 'a'/ },
    );
    assert.throws(() => byEngine(fold, [["b", null]], changes, 9), {
      code: "bad-value",
      message: /null of the key 'b'/,
    });
    assert.throws(
      () =>
        byEngine(
          fold,
          [
            ["a", 1],
            ["a", 1n],
          ],
          changes,
          9,
        ),
      { code: "bad-value", message: /number and bigint/ },
    );
  }
});

test("an object that is changed after it was emitted counts as what it was", () => {
  const written: Pair[] = [];
  const plan: EmitPlan = {
    partitions: 1,
    label: 0,
    partition: null,
    combiner: folds["last"] as CombinerFn,
    seed: 0,
    params: {},
    budgetBytes: 1e6,
  };
  const emitter = makeEmitter(plan, { add: (_, k, v) => written.push([k, v]) });
  const reused = { n: 1 };
  emitter.emit([reused], reused);
  reused.n = 2;
  emitter.emit(["other"], 0);
  emitter.flush();
  assert.deepEqual(written, [
    [[{ n: 1 }], { n: 1 }],
    [["other"], 0],
  ]);
});

test("keys whose hashes are equal stay apart", () => {
  // Objects' hashes add up those of their parts, so that these are equal.
  const pairs: Pair[] = Array.from({ length: 300 }, (_, i) => [new Set([i % 30, 1_000 - (i % 30)]), 1]);
  const result = byEngine(folds["count"] as AnyFold, pairs, {}, 50);
  assert.equal(result.length, 30);
  assert.ok(result.every(([, n]) => n === 10));
});

test("asynchronous pairs are folded as they come", async () => {
  const emitted: Pair[] = [];
  async function* pairs(): AsyncGenerator<Pair> {
    yield ["a", 1];
    yield ["b", 2];
    yield ["a", 3];
  }
  const recipe = reduceFold(sum);
  assert.ok(recipe !== null);
  const run = {
    emit: (k: unknown, v: unknown) => emitted.push([k, v]),
    isSorted: false,
    tableBytes: 1,
    sortBytes: 1_000,
    scratchDir,
  };
  await runFoldReduce(recipe, pairs(), run);
  assert.deepEqual(emitted, [
    ["a", 4],
    ["b", 2],
  ]);
});

/** What a fold as combiner makes of calls, of which some throw and are forgotten. */
function combined(fold: AnyFold, calls: readonly Pair[]): { pairs: Pair[]; refused: number } {
  const pairs: Pair[] = [];
  const plan: EmitPlan = {
    partitions: 1,
    label: 0,
    partition: null,
    combiner: fold as CombinerFn,
    seed: 0,
    params: {},
    budgetBytes: 1e9,
  };
  const { emit, flush } = makeEmitter(plan, { add: (_, k, v) => void pairs.push([k, v]) });
  let refused = 0;
  for (const [k, v] of calls) {
    try {
      emit(k, v);
    } catch {
      refused++;
    }
  }
  flush();
  return { pairs, refused };
}

test("a value that is refused, and by whoever emitted it got over, changes nothing for other keys", () => {
  // So many that the table grows, once with a key that is refused.
  const good = Array.from({ length: 1_500 }, (_, i): Pair => [`k${i % 1_200}`, i]);
  for (const [fold, bad] of [
    [folds["sum"], "text"],
    [folds["max"], () => {}],
    [folds["distinct"], Symbol("none")],
  ] as const) {
    const calls = good.flatMap((pair, i): Pair[] => [pair, [i % 2 === 0 ? `bad${i}` : [i], bad]]);
    const expected = combined(fold as AnyFold, good);
    assert.deepEqual(combined(fold as AnyFold, calls), { pairs: expected.pairs, refused: good.length });
  }
});

test("keys that were made to have one hash are told apart", () => {
  // Parts that bring FNV-1a, of seed 0, to the same state: found by trying.
  const parts = [
    ["003pwu", "00a5fa"],
    ["004uzx", "00f2ad"],
    ...Array.from({ length: 9 }, (_, i) => (i % 2 === 0 ? ["0035zx", "00apcd"] : ["0053zx", "00cpad"])),
  ];
  const keys = parts.reduce((list, both) => list.flatMap((start) => both.map((part) => start + part)), [""]);
  assert.equal(new Set(keys.map((each) => hashKey(each, 0))).size, 1);
  const { pairs } = combined(
    folds["sum"] as AnyFold,
    [...keys, ...keys].map((each): Pair => [each, 1]),
  );
  assert.deepEqual(
    pairs,
    keys.map((each) => [each, 2]),
  );
});

test("a table of keys keeps the texts of no blocks alive", () => {
  const heapBytes = (): number => {
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
    return process.memoryUsage().heapUsed;
  };
  for (const name of ["count", "distinct"]) {
    let blocks = 0;
    let bytes = 0;
    const before = heapBytes();
    const records = new Records({
      nextBatch() {
        if (blocks === 20) {
          bytes = heapBytes() - before;
          return null;
        }
        blocks++;
        // Keys too long for a dictionary: they lie between values.
        const keys = Array.from({ length: 100 }, (_, i) => `${blocks} ${i >>> 1} `.padEnd(70, "k"));
        const block = decodeBlock(
          encodeBlock(
            keys,
            keys.map((each) => each.padEnd(2_000, "v")),
          ),
        );
        return { keys: block.keys, values: name === "count" ? block.values : keys.map((_, i) => i), n: keys.length };
      },
      close: () => {},
    });
    const run = { emit: () => {}, isSorted: false, tableBytes: 1e9, sortBytes: 1e9, scratchDir };
    assert.equal(runFoldReduce(reduceFold(folds[name]) as OwnRecipe, records, run), undefined);
    // The texts are 4 MB.
    assert.ok(bytes < 2e6, `${name}: ${bytes} bytes`);
  }
});
