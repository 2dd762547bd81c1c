/** What functions may not return, and keys and values that look dangerous and must be kept exactly. */
/* oxlint-disable no-sparse-arrays */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";
import { defaultPartition, kvgroup, nopReduce, resultIterator } from "../../src/index.ts";
import { deathOf, type Engine, openEngine } from "./engine.test-kit.ts";

let engine: Engine;
before(async () => {
  engine = await openEngine();
});
after(() => engine[Symbol.asyncDispose]());

/** A function by its behaviour, as JavaScript would let it happen. */
function untyped(map: (line: string) => unknown): (line: string) => [unknown, unknown][] {
  return map as (line: string) => [unknown, unknown][];
}

class Point {
  x = 1;
}

/** A list that contains itself four levels down. */
function cycle(): unknown {
  const list: unknown[] = [1];
  list.push({ node: { next: list } });
  return list;
}

describe("a map", { timeout: 120_000 }, () => {
  const results: [string, (line: string) => unknown, RegExp][] = [
    ["nothing", () => undefined, /map returned undefined, an iterable of \[key, value\] was expected/],
    ["a number", () => 5, /map returned 5/],
    ["a string", () => "word", /map returned 'word'/],
    ["a single pair", (line) => [line, 1], /map emitted 'x', a pair \[key, value\] was expected/],
    ["pairs that are too long", () => [["k", 1, 2]], /map emitted \[ 'k', 1, 2 \]/],
    ["pairs that are too short", () => [["k"]], /map emitted \[ 'k' \]/],
    ["a promise of a number", async () => 5, /map returned 5/],
  ];
  for (const [what, map, message] of results) {
    test(`that returns ${what} is told what was expected`, async () => {
      const job = await engine.disco.newJob("result", { input: ["raw://x"], map: untyped(map) });
      const error = await deathOf(job);
      assert.equal(error.code, "bad-result");
      assert.match(error.message, message);
    });
  }

  const values: [string, (line: string) => unknown, RegExp][] = [
    ["a cycle", () => [["k", cycle()]], /value\[1\]\.node\.next: a value that contains itself/],
    ["a function", () => [["k", { a: [0, () => 1] }]], /value\.a\[1\]/],
    ["a symbol as key", () => [[Symbol("s"), 1]], /key.*symbol/i],
    ["a class instance", () => [["k", [new Point()]]], /value\[0\].*Point/],
    ["a promise", () => [["k", { later: Promise.resolve() }]], /value\.later: a promise cannot be encoded/],
    ["a WeakMap", () => [["k", new Map([["m", new WeakMap()]])]], /value.*WeakMap/],
  ];
  for (const [what, map, message] of values) {
    test(`that emits ${what} is told the path to it`, async () => {
      const job = await engine.disco.newJob("value", { input: ["raw://x"], map: untyped(map) });
      const error = await deathOf(job);
      assert.equal(error.code, "bad-value");
      assert.match(error.message, message);
    });
  }

  const partitions: [string, () => unknown, RegExp][] = [
    ["too large", () => 3, /partition returned 3 for the key 'x': an integer from 0 to 2/],
    ["negative", () => -1, /partition returned -1/],
    ["a fraction", () => 0.5, /partition returned 0\.5/],
    ["NaN", () => Number.NaN, /partition returned NaN/],
    ["a string", () => "1", /partition returned '1'/],
    ["a promise", async () => 1, /partition returned Promise/],
    ["nothing", () => undefined, /partition returned undefined/],
  ];
  for (const [what, partition, message] of partitions) {
    test(`whose partitioner returns ${what} is told the key and the range`, async () => {
      const job = await engine.disco.newJob("partitions", {
        input: ["raw://x"],
        map: (line) => [[line, 1] as const],
        partition: partition as () => number,
        partitions: 3,
        reduce: nopReduce,
      });
      const error = await deathOf(job);
      assert.equal(error.code, "bad-partition");
      assert.match(error.message, message);
    });
  }
});

/** In the documented order; a list holds keys that are the same. Two more of each kind than a sort by text would get right. */
const keysInOrder: readonly (readonly unknown[])[] = [
  [undefined],
  [null],
  [false],
  [true],
  [Number.NEGATIVE_INFINITY],
  [-0, 0],
  [1],
  [9],
  [10],
  [Number.POSITIVE_INFINITY],
  [Number.NaN, 0 / 0],
  [-(2n ** 70n)],
  [1n],
  [2n ** 70n],
  [""],
  ["\0"],
  ["1"],
  ["10"],
  ["9"],
  ["\uffff"],
  ["\u{10000}"],
  [new Date(0), new Date(0)],
  [new Date(Number.NaN)],
  [[1, "a"]],
];

describe("strange keys and values", { timeout: 120_000 }, () => {
  test("that are not there, in a list with a hole, are undefined however the pair comes", async () => {
    // biome-ignore lint/suspicious/noSparseArray: holes are what the test is about
    const pair = (): [unknown, unknown] => [, 1] as unknown as [unknown, unknown];
    const maps: Record<string, (line: string, params: { pair: typeof pair }) => Iterable<[unknown, unknown]>> = {
      list: (_, { pair }) => [pair()],
      *delegated(_, { pair }) {
        yield* [pair()];
      },
      *yielded() {
        // biome-ignore lint/suspicious/noSparseArray: as above
        yield [, 1] as unknown as [unknown, unknown];
      },
      *value() {
        // biome-ignore lint/suspicious/noSparseArray: as above
        yield [undefined, [, 1]];
      },
    };
    for (const [name, map] of Object.entries(maps)) {
      for (const stages of [{}, { reduce: nopReduce, sort: true }]) {
        const job = await engine.disco.newJob("holes", { input: ["raw://x"], params: { pair }, map, ...stages });
        const records = await resultIterator(job).toArray();
        assert.deepStrictEqual(records, [[undefined, name === "value" ? [undefined, 1] : 1]], name);
      }
    }
  });

  test("named like properties of every object are keys like others, also in a combiner and in objects", async () => {
    const job = await engine.disco.newJob("proto", {
      input: ["raw://__proto__\nconstructor\n__proto__\nhasOwnProperty\ntoString\nvalueOf\n__proto__"],
      map: (name): [unknown, number][] => [
        [name, 1],
        [{ [name]: name }, 1],
      ],
      combiner(key, n, buffer, done) {
        if (!done) buffer.set(key, (buffer.get(key) ?? 0) + n);
      },
      *reduce(pairs) {
        for (const [key, counts] of kvgroup(pairs)) yield [key, counts.reduce((a, n) => a + n, 0)] as const;
      },
      partitions: 3,
      sort: true,
    });
    const records = await resultIterator(job).toArray();
    const counts = new Map(records.filter(([key]) => typeof key === "string") as [string, number][]);
    assert.deepEqual(
      counts,
      new Map([
        ["__proto__", 3],
        ["constructor", 1],
        ["hasOwnProperty", 1],
        ["toString", 1],
        ["valueOf", 1],
      ]),
    );
    const objects = records.filter(([key]) => typeof key === "object");
    for (const [key] of objects) assert.equal(Object.keys(key as object).length, 1, inspect(key));
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });

  for (const partitions of [1, 5]) {
    test(`of every kind are sorted and grouped in ${partitions} partitions, and come back as they were`, async () => {
      const job = await engine.disco.newJob("kinds", {
        input: ["raw://first", "raw://second"],
        map: (line) => keysInOrder.toReversed().flatMap((same) => same.map((key) => [key, [line, key]] as const)),
        *reduce(pairs) {
          for (const [key, values] of kvgroup(pairs)) yield [key, values.toArray()] as const;
        },
        sort: true,
        partitions,
      });
      const groups = await resultIterator(job).toArray();
      const expected = keysInOrder.map((same) => [
        same[0],
        ["first", "second"].flatMap((line) => same.map((key) => [line, key])),
      ]);
      // deepEqual tells -0 from 0 and takes NaN for NaN.
      if (partitions === 1) assert.deepEqual(groups, expected);
      else assert.deepEqual(new Set(groups), new Set(expected));
    });
  }

  test("of no bytes and of a megabyte and more are sorted among small ones", async () => {
    const job = await engine.disco.newJob("long", {
      input: ["raw://3\n1\n2"],
      map: (line) => {
        const long = "long".repeat(2 ** 18);
        return [
          [`${long}${line}`, new Uint8Array(2 ** 20).fill(Number(line))],
          [line, new Uint8Array(0)],
          ["", null],
        ] as [string, Uint8Array | null][];
      },
      reduce: nopReduce,
      sort: true,
    });
    const records = await resultIterator(job).toArray();
    assert.deepEqual(
      records.map(([key]) => key.slice(-1) + key.length),
      ["0", "0", "0", "11", "21", "31", "11048577", "21048577", "31048577"],
    );
    assert.deepEqual(records.at(-1)?.[1], new Uint8Array(2 ** 20).fill(3));
  });

  test("over the limit of a record are refused with the limit, and no memory is filled", async () => {
    const job = await engine.disco.newJob("huge", {
      input: ["raw://x"],
      map: () => {
        const text = "x".repeat(400 * 2 ** 20);
        return [["k", { twice: [text, text] }]] as const;
      },
      memoryLimit: 8000,
    });
    const error = await deathOf(job);
    assert.equal(error.code, "bad-value");
    assert.match(error.message, /512/);
  });

  test("made to fall into one partition are spread by another seed", async () => {
    const partitions = 8;
    const keys: string[] = [];
    for (let i = 0; keys.length < 400; i++) if (defaultPartition(`key ${i}`, partitions) === 0) keys.push(`key ${i}`);
    const sizes = async (seed: number): Promise<number[]> => {
      const job = await engine.disco.newJob("flood", {
        input: [`raw://${keys.join("\n")}`],
        map: (line) => [[line, 1] as const],
        *reduce(pairs) {
          yield ["records", [...pairs].length] as const;
        },
        partitions,
        seed,
      });
      return (await resultIterator(job).toArray()).map(([, n]) => n);
    };
    assert.deepEqual(await sizes(0), [keys.length]);
    const spread = await sizes(1);
    assert.equal(spread.length, partitions);
    assert.ok(Math.max(...spread) < keys.length / 4, String(spread));
  });

  test("of no records at all are an empty result, with and without partitions", async () => {
    for (const partitions of [1, 4, null]) {
      const job = await engine.disco.newJob("nothing", {
        input: ["raw://", "raw://a"],
        map: (): [string, number][] => [],
        reduce: nopReduce,
        partitions,
        sort: true,
      });
      assert.deepEqual(await resultIterator(job).toArray(), []);
    }
  });
});
