import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareStrings } from "../../protocol/order.ts";
import { sortTexts, TextKeys } from "./text-order.ts";

/** Strings as `TextKeys` has them, one behind the other. */
function textKeys(texts: readonly string[]): TextKeys {
  const isWide = texts.map((text) => /[^\0-\xff]/u.test(text));
  const pieces = texts.map((text, i) => Buffer.from(text, isWide[i] === true ? "utf16le" : "latin1"));
  const starts = new Uint32Array(texts.length);
  for (let i = 1; i < texts.length; i++) starts[i] = (starts[i - 1] as number) + (pieces[i - 1]?.length ?? 0);
  const marks = Uint32Array.from(texts, (text, i) => text.length * 2 + (isWide[i] === true ? 1 : 0));
  return new TextKeys(Buffer.concat(pieces), starts, marks);
}

test("strings with long common beginnings are sorted by code point, and equal ones keep their order", () => {
  const end = fc
    .array(fc.constantFrom("a", "b", "ÿ", "\0", "\u0101", "\u{1f600}", "\uffff"), { maxLength: 3 })
    .map((units) => units.join(""));
  const long = fc.tuple(fc.constantFrom("", "x", "ÿ", "\u0101", "\ud83d"), fc.constantFrom(0, 127, 129, 500), end);
  const texts = fc.array(
    long.map(([unit, times, end]) => unit.repeat(times) + end),
    { maxLength: 80, size: "max" },
  );
  fc.assert(
    fc.property(texts, (texts) => {
      const order = Uint32Array.from(texts.keys());
      sortTexts(textKeys(texts), order, 0, order.length);
      const expected = [...texts.keys()].sort((a, b) => compareStrings(texts[a] ?? "", texts[b] ?? "") || a - b);
      assert.deepEqual([...order], expected);
    }),
    { numRuns: 300 },
  );
});

test("long beginnings that wide strings share are not compared unit by unit", () => {
  const shared = "\u0101".repeat(200_000);
  const texts = Array.from({ length: 60 }, (_, i) => shared + String.fromCharCode(0x200 + ((i * 7) % 61)));
  const keys = textKeys(texts);
  let units = 0;
  const { unit } = keys;
  keys.unit = (i, at) => {
    units++;
    return unit.call(keys, i, at);
  };
  const order = Uint32Array.from(texts.keys());
  sortTexts(keys, order, 0, order.length);
  assert.deepEqual(
    [...order],
    [...texts.keys()].sort((a, b) => compareStrings(texts[a] ?? "", texts[b] ?? "")),
  );
  assert.ok(units < shared.length, `${units} units were looked at`);
});
