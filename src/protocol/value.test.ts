import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import fc from "fast-check";
import { DataError, DiscoError } from "../errors.ts";
import { anyValue } from "./arbitrary-values.test-kit.ts";
import { decodeValue, encodeValue, ValueReader, ValueWriter } from "./value.ts";

const copyOf = (value: unknown): unknown => decodeValue(encodeValue(value));

test("any value comes back as it was", () => {
  fc.assert(
    fc.property(anyValue, (value) => assert.deepStrictEqual(copyOf(value), value)),
    { numRuns: 2000 },
  );
});

test("a stream of values comes back as it was", () => {
  fc.assert(
    fc.property(fc.array(anyValue), (values) => {
      const writer = new ValueWriter(1);
      for (const value of values) writer.write(value);
      const reader = new ValueReader(writer.bytes());
      assert.deepStrictEqual(
        values.map(() => reader.read()),
        values,
      );
      assert.ok(reader.atEnd);
    }),
  );
});

test("the rare values are kept exactly", () => {
  for (const value of [-0, Number.NaN, "\ud800", "a\udc00b", -(10n ** 300n), 2 ** 53 + 2, new Date(Number.NaN)]) {
    assert.ok(Object.is(copyOf(value), value) || typeof value === "object", String(value));
    assert.deepStrictEqual(copyOf(value), value);
  }
  const bare = Object.assign(Object.create(null), { a: 1 }) as object;
  assert.equal(Object.getPrototypeOf(copyOf(bare)), null);
  const poisoned = JSON.parse('{"__proto__": {"admin": true}}') as object;
  assert.deepEqual(Object.keys(copyOf(poisoned) as object), ["__proto__"]);
  assert.equal((copyOf(poisoned) as { admin?: boolean }).admin, undefined);
  const bytes = copyOf(Buffer.from("abc")) as Uint8Array;
  assert.equal(bytes.constructor, Uint8Array);
  assert.deepEqual([...bytes], [97, 98, 99]);
  assert.deepEqual(copyOf(vm.runInNewContext("({a: [1, new Map([[1, 2]])]})")), { a: [1, new Map([[1, 2]])] });
  assert.deepEqual(copyOf(Object.assign([1], { 2: 3 })), [1, undefined, 3]);
});

test("errors keep name, message, stack and cause", () => {
  class PriceError extends TypeError {
    override name = "PriceError";
  }
  const copy = copyOf(new PriceError("too much", { cause: { price: 9n } })) as PriceError;
  assert.ok(copy instanceof TypeError);
  assert.deepEqual([copy.name, copy.message, copy.cause], ["PriceError", "too much", { price: 9n }]);
  assert.match(copy.stack ?? "", /too much/);
  const many = copyOf(new AggregateError([new RangeError("a"), 2], "all")) as AggregateError;
  assert.deepEqual([many.message, (many.errors as unknown[])[1]], ["all", 2]);
});

test("what cannot be encoded is named by its path", () => {
  const cyclic = { list: [0] as unknown[] };
  cyclic.list.push({ self: cyclic });
  const rows: [unknown, RegExp][] = [
    [{ users: [1, 2, 3, { callback() {} }] }, /^value\.users\[3\]\.callback: a function cannot be encoded/],
    [cyclic, /^value\.list\[1\]\.self: a value that contains itself/],
    [{ "a b": Symbol("s") }, /^value\["a b"\]: a symbol \(Symbol\(s\)\)/],
    [new Map([["k", [Promise.resolve()]]]), /^value\.get\("k"\)\[0\]: a promise/],
    [new Set([new WeakMap()]), /^value\.values\(\)\[0\]: a WeakMap/],
    [[new (class Point {})()], /^value\[0\]: an instance of class Point/],
    [new (class Bag extends Map {})(), /^value: an instance of class Bag/],
    [new Error("x", { cause: () => 1 }), /^value\.cause: a function/],
    [new Array(2 ** 31).fill, /^value: a function/],
  ];
  for (const [value, message] of rows) {
    assert.throws(
      () => encodeValue(value),
      (error) => {
        assert.ok(error instanceof DiscoError);
        assert.match(error.message, message);
        assert.equal(error.code, "bad-value");
        assert.ok(error.hint !== undefined);
        return true;
      },
    );
  }
});

test("a value of any depth is encoded or refused, and never overflows the stack", () => {
  let value: unknown = 1;
  for (let i = 0; i < 100_000; i++) value = [value];
  assert.throws(() => encodeValue(value), /more than 500 levels deep/);
  assert.throws(() => decodeValue(new Uint8Array(100_000).fill(0xa1)), { code: "bad-value" });
});

test("a value that grows too large is refused by name", () => {
  const message = /^key: larger than 512 MiB once encoded/;
  assert.throws(() => new ValueWriter().write([1, new ArrayBuffer(600 * 1024 * 1024)], "key"), {
    code: "bad-value",
    message,
  });
  assert.throws(() => new ValueWriter().write(new Array(2 ** 30), "key"), { code: "bad-value", message });
});

test("a writer goes on after a value that it refused", () => {
  const writer = new ValueWriter();
  writer.write({ a: 1 });
  assert.throws(() => writer.write({ a: 1, b: { c: () => 1 } }));
  writer.write({ b: 1, a: { c: 1 } });
  writer.write({ a: 1, b: { c: 2 } });
  const reader = new ValueReader(writer.bytes());
  assert.deepEqual(
    [reader.read(), reader.read(), reader.read()],
    [{ a: 1 }, { b: 1, a: { c: 1 } }, { a: 1, b: { c: 2 } }],
  );
});

test("functions travel as numbers where the caller says so", () => {
  const paths: string[] = [];
  const bytes = encodeValue(
    { f: () => 1, deep: [{ g: () => 2 }] },
    { onFunction: (_fn, path) => paths.push(path) - 1 },
  );
  assert.deepEqual(paths, ["value.f", "value.deep[0].g"]);
  assert.deepEqual(decodeValue(bytes, { onFunction: (ref) => `fn${ref}` }), { f: "fn0", deep: [{ g: "fn1" }] });
  assert.throws(() => decodeValue(bytes), /a function among data/);
});

test("damaged bytes are an error or another value, never a crash", () => {
  fc.assert(
    fc.property(anyValue, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (value, at, byte, cut) => {
      const bytes = encodeValue(value);
      bytes[at % bytes.length] = byte;
      try {
        decodeValue(bytes.subarray(0, bytes.length - (cut % 3)));
      } catch (error) {
        assert.ok(error instanceof DataError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeValue(bytes);
      } catch (error) {
        assert.ok(error instanceof DataError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

test("a promised size is not believed", () => {
  for (const tag of [0xb7, 0xb8, 0xbb, 0xbc, 0xbd, 0xbe, 0xc0, 0xc2]) {
    assert.throws(() => decodeValue(Uint8Array.of(tag, 0xff, 0xff, 0xff, 0xff, 0x0f)), { code: "bad-value" });
  }
});
