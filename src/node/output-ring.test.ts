import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OutputRing, outputRingBytesMax } from "./output-ring.ts";

test("a short output is kept whole", () => {
  const ring = new OutputRing();
  ring.push(Buffer.from("one "));
  ring.push(Buffer.from("two"));
  assert.equal(ring.tail(), "one two");
  assert.equal(ring.dropped, 0);
});

test("of any output the last bytes are kept and the others counted", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 50_000 }), { maxLength: 12 }), (sizes) => {
      const ring = new OutputRing();
      const all = sizes.map((size, i) => "abcdefghijkl".charAt(i).repeat(size)).join("");
      for (const [i, size] of sizes.entries()) ring.push(Buffer.alloc(size, "abcdefghijkl".charAt(i)));
      assert.equal(ring.tail(), all.slice(-outputRingBytesMax));
      assert.equal(ring.dropped, Math.max(0, all.length - outputRingBytesMax));
    }),
    { numRuns: 50 },
  );
});
