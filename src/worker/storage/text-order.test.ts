import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareStrings } from "../../protocol/order.ts";
import { sortTexts, TextKeys } from "./text-order.ts";

/** Strings of latin1 as `TextKeys` has them, one behind the other. */
function narrowKeys(texts: readonly string[]): TextKeys {
  const starts = new Uint32Array(texts.length);
  let at = 0;
  for (const [i, text] of texts.entries()) {
    starts[i] = at;
    at += text.length;
  }
  const marks = Uint32Array.from(texts, (text) => text.length * 2);
  return new TextKeys(Buffer.from(texts.join(""), "latin1"), starts, marks);
}

test("strings with long common beginnings are sorted by code point, and equal ones keep their order", () => {
  const end = fc.array(fc.constantFrom("a", "b", "ÿ", "\0"), { maxLength: 3 }).map((units) => units.join(""));
  const long = fc.tuple(fc.constantFrom("", "x", "ÿ"), fc.constantFrom(0, 127, 129, 500), end);
  const texts = fc.array(
    long.map(([unit, times, end]) => unit.repeat(times) + end),
    { maxLength: 80, size: "max" },
  );
  fc.assert(
    fc.property(texts, (texts) => {
      const order = Uint32Array.from(texts.keys());
      sortTexts(narrowKeys(texts), order, 0, order.length);
      const expected = [...texts.keys()].sort((a, b) => compareStrings(texts[a] ?? "", texts[b] ?? "") || a - b);
      assert.deepEqual([...order], expected);
    }),
    { numRuns: 300 },
  );
});
