import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { DataError } from "../errors.ts";
import { anyNumber, anyString, anyValue } from "./arbitrary-values.test-kit.ts";
import { type BlockCodec, blockHeaderBytes, decodeBlock, encodeBlock, readBlockHeader } from "./block.ts";

const column = (n: number): fc.Arbitrary<unknown[]> => {
  const of = (item: fc.Arbitrary<unknown>) => fc.array(item, { minLength: n, maxLength: n });
  return fc.oneof(
    of(anyValue),
    of(anyString),
    of(anyNumber),
    of(fc.integer({ min: -128, max: 127 })),
    of(fc.integer({ min: -40_000, max: 40_000 })),
    of(fc.string({ unit: "binary-ascii" })),
    of(fc.string({ minLength: 50, maxLength: 600 })),
    of(fc.string({ unit: "binary", minLength: 50, maxLength: 300 })),
    anyValue.map((value) => new Array<unknown>(n).fill(value)),
    of(fc.record({ a: anyNumber, b: anyString })),
  );
};
const columns = fc.integer({ min: 0, max: 40 }).chain((n) => fc.tuple(column(n), column(n)));

test("any records come back as they were, with any codec", () => {
  fc.assert(
    fc.property(
      columns,
      fc.constantFrom<BlockCodec>("none", "zstd", "auto"),
      fc.boolean(),
      ([keys, values], codec, sorted) => {
        const block = decodeBlock(encodeBlock(keys, values, 0, keys.length, { codec, sorted }));
        assert.equal(block.records, keys.length);
        assert.equal(block.sorted, sorted);
        assert.deepStrictEqual([block.keys, block.values], [keys, values]);
      },
    ),
    { numRuns: 300 },
  );
});

test("blocks larger than any buffer so far come back as they were", () => {
  for (const size of [10, 1000, 70_000, 300_000]) {
    const keys = Array.from({ length: size }, (_, i) => [i, `${i}`]);
    const values = Array.from({ length: size }, (_, i) => `é${i}`);
    const block = decodeBlock(encodeBlock(keys, values));
    assert.deepStrictEqual([block.keys, block.values], [keys, values]);
  }
});

test("a part of the arrays makes a block of its own", () => {
  const keys = ["a", "b", "c", "d"];
  const block = decodeBlock(encodeBlock(keys, [1, 2, 3, 4], 1, 3));
  assert.deepEqual(
    [block.keys, block.values],
    [
      ["b", "c"],
      [2, 3],
    ],
  );
});

test("0 and -0 are not one constant", () => {
  assert.deepStrictEqual(decodeBlock(encodeBlock([0, -0], [-0, -0])).keys, [0, -0]);
});

test("every changed byte of a block is detected, and every cut", () => {
  const block = encodeBlock(["a", "b", "c"], [1, 2.5, [3]]);
  for (let i = 0; i < block.length; i++) {
    for (const flip of [1, 0x80, 0xff]) {
      const damaged = Uint8Array.from(block);
      damaged[i] = (damaged[i] as number) ^ flip;
      assert.throws(
        () => decodeBlock(damaged),
        { name: "DataError", code: "bad-block", message: /at byte 0/ },
        `byte ${i}`,
      );
    }
    assert.throws(() => decodeBlock(block.subarray(0, i)), { code: "bad-block" }, `cut at ${i}`);
  }
});

test("a block made in bad faith is an error, never a crash", () => {
  fc.assert(
    fc.property(
      columns,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      ([keys, values], edits) => {
        const block = encodeBlock(keys, values);
        const payload = block.subarray(blockHeaderBytes);
        for (const [at, byte] of edits) if (payload.length > 0) payload[at % payload.length] = byte;
        try {
          const decoded = decodeBlock(resealed(block));
          assert.equal(decoded.keys.length, keys.length);
          assert.equal(decoded.values.length, keys.length);
        } catch (error) {
          assert.ok(error instanceof DataError, String(error));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("a block of another version of the format is refused as such", () => {
  const block = Buffer.from(encodeBlock(["a"], [1]));
  block.write("DBk1", "latin1");
  assert.throws(() => decodeBlock(block), { code: "bad-block", message: /another version/ });
  block.write("JUNK", "latin1");
  assert.throws(() => decodeBlock(block), { code: "bad-block", message: /not a block/ });
});

test("large blocks that shrink are compressed by auto, others are not", () => {
  const same = Array.from({ length: 5000 }, (_, i) => `a text that begins in the same way again and again ${i}`);
  const noise = Array.from({ length: 20_000 }, () => Math.random());
  assert.equal(readBlockHeader(encodeBlock(same, same, 0, 5000, { codec: "auto" })).codec, 1);
  assert.equal(readBlockHeader(encodeBlock(noise, noise, 0, 20_000, { codec: "auto" })).codec, 0);
});

test("the error of what cannot be encoded says whether it is key or value", () => {
  assert.throws(() => encodeBlock(["a"], [{ f: () => 1 }]), /^DiscoError: value\.f: a function/);
  assert.throws(() => encodeBlock([Symbol("s")], [1]), { code: "bad-value" });
});

/** The block with CRCs that fit its contents. */
function resealed(block: Uint8Array): Uint8Array {
  const bytes = Buffer.from(block);
  bytes.writeUInt32LE(crc32(bytes.subarray(blockHeaderBytes)), 20);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 24)), 24);
  return bytes;
}
