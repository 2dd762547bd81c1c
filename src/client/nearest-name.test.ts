import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { nearestName, slips } from "./nearest-name.ts";

describe("the nearest name", () => {
  it("is the one with the fewest slips, whatever the case", () => {
    const known = ["map", "mapReader", "reduce", "partition", "partitions"];
    assert.equal(nearestName("mapreader", known), "mapReader");
    assert.equal(nearestName("partitoins", known), "partitions");
    assert.equal(nearestName("amp", known), "map");
    assert.equal(nearestName("frobnicate", known), undefined);
  });

  it("shares its beginning with what was typed where nothing is few slips away", () => {
    const known = ["map", "mapReader", "sort", "partition", "partitions"];
    assert.equal(nearestName("sorted", known), "sort");
    assert.equal(nearestName("part", known), "partitions");
    assert.equal(nearestName("mapReaderFunction", known), "mapReader");
    assert.equal(nearestName("so", known), undefined);
  });

  it("counts slips symmetrically, none only between equals, at most the longer name's letters", () => {
    const word = fc.string({ maxLength: 8, unit: fc.constantFrom("a", "b", "c") });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const n = slips(a, b);
        assert.equal(n, slips(b, a));
        assert.equal(n === 0, a === b);
        assert.ok(n <= Math.max(a.length, b.length));
        assert.ok(n >= Math.abs(a.length - b.length));
      }),
    );
  });

  it("counts swapped neighbours as one slip", () => {
    assert.equal(slips("ab", "ba"), 1);
    assert.equal(slips("sort", "srot"), 1);
  });
});
