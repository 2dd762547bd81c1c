import assert from "node:assert/strict";
import { test } from "node:test";
import { validateOptions } from "../client/validate.ts";
import { JobError } from "../errors.ts";
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
    /reduce: (?:min|max|distinct)/,
  );
  const pipeline = [{ map: words(), combiner: count }, { reduce: count }];
  refused({ pipeline }, /^pipeline\[1\]\.reduce: count would count counts/, /reduce: sum/);
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
    () => grep(/x/y),
    () => grep(5 as never),
  ]) {
    assert.throws(make, { code: "bad-option" });
  }
});
