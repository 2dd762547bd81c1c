import assert from "node:assert/strict";
import { test } from "node:test";
import { validateOptions } from "../client/validate.ts";
import { DiscoError, JobError } from "../errors.ts";
import { makeRangePartition } from "../worker/partition.ts";
import { csvReader } from "../worker/streams/csv.ts";
import { reReader } from "../worker/streams/regexp.ts";
import { count, distinct, field, first, grep, identity, last, lines, max, min, sum, top, words } from "./index.ts";

const input = ["x"];

function refused(options: object, message: RegExp, hint: RegExp): void {
  assert.throws(
    () => validateOptions({ input, ...options } as never),
    (error) => {
      assert.ok(error instanceof JobError);
      assert.equal(error.code, "bad-option");
      assert.match(error.message, message);
      assert.match(error.hint ?? "", hint);
      return true;
    },
  );
}

test("a map is refused as a combiner or a reduce, a fold as a map, and any of them as a partitioner or a reader", () => {
  for (const map of [words(), lines(), grep(/x/), field(1)]) {
    refused({ map, reduce: map }, /^reduce: \w+\(…\) is no reduce$/, /where a map is expected/);
    refused({ map, combiner: map }, /is no combiner/, /where a map/);
    refused({ map, partition: map }, /is no partition/, /where a map/);
  }
  for (const fold of [sum, count, min, max, first, last, distinct]) {
    refused({ map: fold }, /^map: \w+ is no map$/, /a combiner or a reduce is expected/);
    refused({ map: words(), mapReader: fold }, /is no mapReader/, /combiner/);
  }
  refused({ map: words(), combiner: top(3) }, /^combiner: top\(…\) is no combiner$/, /Its combiner is sum/);
  refused({ pipeline: [{ map: words() }, { reduce: words() }] }, /^pipeline\[1\]\.reduce: words/, /a map/);
});

test("a reduce that would give other results when the input is divided otherwise is refused behind a combiner", () => {
  refused({ map: words(), combiner: count, reduce: count }, /reduce: count would count counts/, /Write reduce: sum/);
  refused({ map: words(), combiner: sum, reduce: count }, /means nothing behind combiner: sum/, /reduce: sum/);
  refused({ map: words(), combiner: max, reduce: sum }, /reduce: sum means nothing/, /reduce: max/);
  refused(
    { map: words(), combiner: distinct, reduce: top(1) },
    /reduce: top means nothing/,
    /^Write reduce: distinct, or/,
  );
  for (const [combiner, fitting] of [
    [distinct, "distinct"],
    [min, "min"],
    [first, "first"],
    [sum, "sum"],
    [count, "sum"],
  ] as const) {
    refused({ map: words(), combiner, reduce: count }, /^reduce: count/, new RegExp(`^Write reduce: ${fitting}, or`));
  }
  const pipeline = [{ map: words(), combiner: count }, { reduce: count }];
  refused({ pipeline }, /^pipeline\[1\]\.reduce: count would count counts/, /reduce: sum/);
});

test("a factory that was not called is refused, with the call that is missing", () => {
  refused({ map: words }, /^map: words is not called$/, /^Write map: words\(\)\.$/);
  refused({ map: lines }, /^map: lines is not called$/, /map: lines\(\)/);
  refused({ map: grep }, /^map: grep is not called$/, /map: grep\(pattern\)/);
  refused({ map: field }, /^map: field is not called$/, /map: field\(n\)/);
  refused({ map: words(), reduce: top }, /^reduce: top is not called$/, /reduce: top\(n\)/);
  refused({ map: words(), mapReader: csvReader }, /^mapReader: csvReader is not called$/, /csvReader\(\)/);
  refused({ map: words(), mapReader: reReader }, /^mapReader: reReader is not called$/, /reReader\(/);
  refused({ map: words(), partition: makeRangePartition }, /^partition: makeRangePartition is not called$/, /\(min/);
  refused({ pipeline: [{ map: words }] }, /^pipeline\[0\]\.map: words is not called$/, /map: words\(\)/);
  refused({ map: words(), reduce: words }, /^reduce: words\(…\) is no reduce$/, /a map is expected/);
});

test("a fold that was called where it should stand is named, with what to write", () => {
  const folds: Record<string, () => unknown> = { sum, count, min, max, first, last, distinct, identity } as never;
  for (const [name, fold] of Object.entries(folds)) {
    assert.throws(
      () => fold(),
      (error) => {
        assert.ok(error instanceof DiscoError);
        assert.equal(error.code, "bad-pair");
        assert.equal(error.message, `${name}() was called without pairs`);
        assert.ok(error.hint?.endsWith(`reduce: ${name}.`), error.hint);
        return true;
      },
    );
  }
  assert.throws(() => sum(5), { code: "bad-pair", message: "sum: pairs were expected, not a value of type number" });
  assert.throws(() => top(3)(null), { code: "bad-pair", message: "top(3): pairs were expected, not null" });
});

test("what makes sense is let through", () => {
  for (const options of [
    { map: words(), combiner: sum, reduce: sum },
    { map: words(), combiner: count, reduce: sum },
    { map: words(), combiner: count, reduce: top(5) },
    { map: words(), reduce: count },
    { map: identity, combiner: identity, reduce: identity },
    { map: identity, combiner: identity, reduce: count },
    { map: words(), combiner: () => {}, reduce: count },
    { map: words(), combiner: sum, reduce: (pairs: never) => pairs },
    { pipeline: [{ map: words(), combiner: distinct }, { reduce: distinct }, { reduce: count }] },
  ]) {
    assert.doesNotThrow(() => validateOptions({ input, ...options } as never));
  }
});

test("factories refuse arguments that make no sense", () => {
  for (const make of [
    () => top(0),
    () => top(1.5),
    () => top(1e7),
    () => field(-1),
    () => field(0, { separator: "" }),
    () => field(0, "," as never),
    () => field(0, null as never),
    () => grep(/x/y),
    () => grep(5 as never),
  ]) {
    assert.throws(make, { code: "bad-option" });
  }
  assert.throws(() => field(2, ";" as never), { hint: 'Write field(2, { separator: ";" }).' });
  assert.throws(() => field(0, { seperator: "," } as never), {
    code: "unknown-option",
    message: "field: unknown option seperator; did you mean separator?",
  });
  assert.doesNotThrow(() => [field(0), field(0, {}), field(0, { separator: "," })]);
});
