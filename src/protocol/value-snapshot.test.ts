import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyValue } from "./arbitrary-values.test-kit.ts";
import { decodeValue, encodeValue } from "./value.ts";
import { snapshot, snapshotBytes } from "./value-snapshot.ts";

test("a copy is what comes back from the bytes of a value", () => {
  fc.assert(
    fc.property(anyValue, (value) => assert.deepStrictEqual(snapshot(value, "value"), decodeValue(encodeValue(value)))),
    { numRuns: 2000 },
  );
});

test("a copy stays what it was when the value is changed", () => {
  const bytes = new Uint8Array([1, 2, 3, 4]);
  const value = {
    map: new Map([[[1], bytes]]),
    set: new Set([{ a: 1 }]),
    part: bytes.subarray(1, 3),
    all: bytes.buffer,
  };
  const copy = snapshot(value, "value") as typeof value;
  const [key] = value.map.keys();
  key?.push(2);
  bytes.fill(9);
  value.map.clear();
  value.set.clear();
  assert.deepStrictEqual([...copy.map], [[[1], new Uint8Array([1, 2, 3, 4])]]);
  assert.deepStrictEqual([...copy.set], [{ a: 1 }]);
  assert.deepStrictEqual([copy.part, copy.all], [new Uint8Array([2, 3]), new Uint8Array([1, 2, 3, 4]).buffer]);
});

test("bytes count once, in whatever they are", () => {
  const length = 1 << 20;
  const bytes = new Uint8Array(length);
  for (const value of [
    bytes,
    Buffer.alloc(length),
    bytes.buffer,
    new DataView(bytes.buffer),
    new Float64Array(length / 8),
    { list: [bytes] },
    new Map([["key", bytes]]),
    new Map([[bytes, "value"]]),
    new Set([new Map([["key", [bytes]]])]),
    Object.assign(Object.create(null), { bytes }),
    JSON.parse('{"__proto__": 1}', (key, item: unknown) => (key === "__proto__" ? bytes : item)),
  ]) {
    snapshot(value, "value");
    assert.ok(snapshotBytes() >= length && snapshotBytes() < length + 256, String(snapshotBytes()));
  }
});

test("what cannot be encoded is named, wherever it is", () => {
  const detached = new Uint8Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const cyclic = new Map<string, unknown>();
  cyclic.set("again", cyclic);
  for (const value of [
    new Map([["a", () => 1]]),
    new Set([Symbol("s")]),
    Object.assign(Object.create(null), { f: () => 1 }),
    cyclic,
    detached,
    detached.buffer,
  ]) {
    assert.throws(() => snapshot(value, "value"), { code: "bad-value", message: /^value/ });
  }
});
