import assert from "node:assert/strict";
import { constants } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { count, distinct, max, sum } from "../../fn/folds.ts";
import { field, grep, lines, words } from "../../fn/line-maps.ts";
import type { CombinerFn } from "../combine.ts";
import type { EmitPlan } from "../emit.ts";
import { PlacedWriter } from "../key-place.ts";
import { CountSink } from "./text-sink.ts";
import { byKernel, byLine, chunkedText, planDefaults, type Written } from "./vector.test-kit.ts";

const maps = {
  "words()": words(),
  "lines()": lines(),
  "field(0)": field(0),
  "field(2)": field(2),
  'field(1, ",")': field(1, { separator: "," }),
  'field(0, "b")': field(0, { separator: "b" }),
  'grep("a")': grep("a"),
  'grep("x\\r")': grep("x\r"),
  'grep("é")': grep("é"),
  'grep("\\ufffd")': grep("\ufffd"),
  'grep("")': grep(""),
  "grep(/b.*a/)": grep(/b.*a/),
  "grep(/^a/)": grep(/^a/),
  "grep(/[^b]$/)": grep(/[^b]$/),
  "grep(/[^-a]/)": grep(/[^-a]/),
  "grep(/[^--é]x/u)": grep(/[^--é]x/u),
  "grep(/^\\s*$/)": grep(/^\s*$/),
  "grep(/\\W\\D/i)": grep(/\W\D/i),
  "grep(/x(?![^a])/)": grep(/x(?![^a])/),
  "grep(/(?<=a )x/)": grep(/(?<=a )x/),
  "grep(/a|$/gm)": grep(/a|$/gm),
  "grep(/\\bx\\b|é./u)": grep(/\bx\b|é./u),
};

const plans: Readonly<Record<string, Partial<EmitPlan>>> = {
  "three partitions": {},
  "no partitions": { partitions: null },
  "one partition": { partitions: 1 },
  "a partitioner": { partition: (key) => (key as string).length % 3 },
  "a combiner of the user's": {
    combiner: ((key: string, n: number, buffer: Map<string, number>) => {
      buffer.set(key, (buffer.get(key) ?? 0) + n);
    }) as CombinerFn,
  },
};

for (const [name, map] of Object.entries(maps)) {
  test(`${name} emits from bytes what it emits line by line`, () => {
    fc.assert(
      fc.property(chunkedText, fc.constantFrom(...Object.values(plans)), (chunks, changes) => {
        const plan = { ...planDefaults, ...changes };
        assert.deepEqual(byKernel(map, chunks, plan), byLine(map, chunks, plan));
      }),
      { numRuns: 300 },
    );
  });
}

/** Partial results of a fold, brought together. */
function joined(written: readonly Written[], join: (a: number, b: number) => number): Map<string, number> {
  const result = new Map<string, number>();
  for (const [partition, key, value] of written) {
    const place = `${partition} ${String(key)}`;
    const before = result.get(place);
    result.set(place, before === undefined ? (value as number) : join(before, value as number));
  }
  return result;
}

for (const [name, fold, join] of [
  ["sum", sum, (a: number, b: number) => a + b],
  ["count", count, (a: number, b: number) => a + b],
  ["max", max, Math.max],
  ["distinct", distinct, Math.max],
] as const) {
  test(`${name} combines in the table what it combines in a Map, whatever the budget is`, () => {
    fc.assert(
      fc.property(
        chunkedText,
        fc.constantFrom(...Object.values(maps)),
        fc.constantFrom(1, 300, 1_000_000),
        (chunks, map, budgetBytes) => {
          const ours = byKernel(map, chunks, { ...planDefaults, combiner: fold as CombinerFn, budgetBytes });
          const plain = byLine(map, chunks, {
            ...planDefaults,
            combiner: (key, value, buffer, done) => (fold as CombinerFn)(key, value, buffer, done, {}),
          });
          assert.equal(ours.lines, plain.lines);
          assert.deepEqual(joined(ours.written, join), joined(plain.written, join));
          // With room for all, in the same order, each key once.
          if (budgetBytes === 1_000_000) {
            const of = (written: readonly Written[], partition: number) => written.filter(([p]) => p === partition);
            for (const p of [0, 1, 2]) assert.deepEqual(of(ours.written, p), of(plain.written, p));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
}

test("keys that share their first bytes, their length and their slots stay apart", () => {
  const keys = Array.from({ length: 30_000 }, (_, i) => `prefixed${String(i).padStart(6, "0")}`);
  const text = Buffer.from(`${keys.join(" ")}\n${keys.toReversed().join("\n")}\n`);
  const { written } = byKernel(words(), [text], { ...planDefaults, combiner: sum as CombinerFn, budgetBytes: 1e9 });
  assert.equal(written.length, keys.length);
  assert.deepEqual(new Map(written.map(([, key, n]) => [key, n])), new Map(keys.map((key) => [key, 2])));
});

test("words are found in lines of all lengths, also in lines longer than what is scanned at once", () => {
  const lines = Array.from({ length: 400 }, (_, i) => {
    const word = "abcdefghijklmnopqrs".slice(0, 1 + (i % 19));
    return i % 100 === 99 ? `${word} ${"long ".repeat(5_000)}` : `${`${word} `.repeat(i % 50)}\r`;
  });
  for (const text of [lines.join("\n"), `${lines.join("\n")}\n`, `${"x ".repeat(60_000)}end`]) {
    const expected = new Map<string, number>();
    for (const word of text.trim().split(/\s+/)) expected.set(word, (expected.get(word) ?? 0) + 1);
    const plan = { ...planDefaults, combiner: sum as CombinerFn };
    const { written, lines: found } = byKernel(words(), [Buffer.from(text)], plan);
    assert.deepEqual(new Map(written.map(([, key, n]) => [key, n])), expected);
    assert.equal(written.length, expected.size);
    assert.equal(found, text.split("\n").length - (text.endsWith("\n") ? 1 : 0));
  }
});

test("a word of a megabyte, in small chunks, is one word", () => {
  const word = Buffer.alloc(1_000_000, "long");
  const bytes = Buffer.concat([word, Buffer.from(" a\n"), word]);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 10_000) }, (_, i) =>
    bytes.subarray(i * 10_000, (i + 1) * 10_000),
  );
  const { written } = byKernel(words(), chunks, { ...planDefaults, partitions: 1, combiner: sum as CombinerFn });
  assert.deepEqual(
    joined(written, (a, b) => a + b),
    new Map([
      [`0 ${word.toString()}`, 2],
      ["0 a", 1],
    ]),
  );
});

test("where a table is emptied depends on the text alone, and not on chunks", () => {
  const keys = Array.from({ length: 3_000 }, (_, i) => `w${(i * 7919) % 1_000}`);
  const bytes = Buffer.from(`${keys.join("\n")}\n`);
  const plan = { ...planDefaults, combiner: sum as CombinerFn, budgetBytes: 20_000 };
  const whole = byKernel(words(), [bytes], plan).written;
  assert.ok(whole.length > 1_000, "it was emptied more than once");
  for (const size of [7, 100, 4_096]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    assert.deepEqual(byKernel(words(), chunks, plan).written, whole);
  }
});

test("a table is emptied before its keys are more than a string holds, whatever the budget is", () => {
  const output = { add: () => {} };
  const sink = new CountSink(new PlacedWriter({ ...planDefaults, partitions: null }, output), true, 1e12);
  const lineBytesMax = 64 * 1024 * 1024;
  Object.defineProperty(sink.table, "bytes", { value: constants.MAX_STRING_LENGTH - lineBytesMax });
  assert.ok(sink.isFull());
});
