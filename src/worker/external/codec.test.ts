import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { DiscoError } from "../../errors.ts";
import type { ExternalForm } from "../../protocol/job-data.ts";
import { fails } from "../fixtures/job-bench.ts";
import { ListDecoder } from "./decoder.ts";
import { PairEncoder } from "./encoder.ts";

const recordBytesMax = 1024 * 1024;

type Pair = [key: unknown, value: unknown];

/** Pairs as one list. */
function listOf(pairs: readonly Pair[]): Buffer {
  const encoder = new PairEncoder(recordBytesMax);
  for (const [key, value] of pairs) encoder.add(key, value);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(pairs.length);
  return Buffer.concat([count, encoder.take()]);
}

class Taken {
  readonly lists: Pair[][] = [];
  readonly bytes: number[] = [];
  readonly decoder: ListDecoder;
  #list: Pair[] = [];

  constructor(keys: ExternalForm = "text", values: ExternalForm = "text") {
    const sink = {
      pair: (key: unknown, value: unknown) => void this.#list.push([key, value]),
      list: (bytes: number) => {
        this.lists.push(this.#list);
        this.bytes.push(bytes);
        this.#list = [];
      },
    };
    this.decoder = new ListDecoder(sink, { keys, values, recordBytesMax });
  }
}

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ maxLength: 200 }),
  fc.constantFrom("", "\ufffd", "ü", "a".repeat(300)),
);

test("what is encoded is decoded, however the chunks are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.tuple(text, text), { maxLength: 5 }), { maxLength: 6 }),
      fc.infiniteStream(fc.nat(40)),
      (lists, cuts) => {
        const encoded = lists.map(listOf);
        const bytes = Buffer.concat(encoded);
        const taken = new Taken();
        for (let at = 0; at < bytes.length; ) {
          const to = at + 1 + (cuts.next().value as number);
          taken.decoder.push(Buffer.from(bytes.subarray(at, to)));
          at = to;
        }
        assert.deepEqual(taken.lists, lists);
        assert.deepEqual(
          taken.bytes,
          encoded.map((list) => list.length),
        );
        assert.equal(taken.decoder.unfinished, null);
      },
    ),
    { numRuns: 300 },
  );
});

test("bytes stay bytes, and numbers become text", () => {
  const taken = new Taken("text", "bytes");
  const bytes = Uint8Array.of(0, 255, 128);
  taken.decoder.push(
    listOf([
      ["a", bytes],
      [7, 12n],
      [-1.5, ""],
    ]),
  );
  assert.deepEqual(taken.lists, [
    [
      ["a", bytes],
      ["7", new Uint8Array(Buffer.from("12"))],
      ["-1.5", new Uint8Array()],
    ],
  ]);
  assert.equal(taken.lists[0]?.[0]?.[1]?.constructor, Uint8Array);
});

test("a chunk is full after some records, and a record may be larger than a chunk", () => {
  const encoder = new PairEncoder(recordBytesMax);
  const large = "x".repeat(900_000);
  encoder.add("", large);
  assert.ok(encoder.isFull);
  const first = encoder.take();
  assert.equal(first.length, 900_008);
  let records = 0;
  while (!encoder.isFull) {
    encoder.add("key", "value");
    records++;
  }
  assert.equal(encoder.take().length, records * 16);
  assert.equal(first.toString("latin1", 8), large, "it is not overwritten by what follows");
  assert.ok(encoder.isEmpty);
});

test("what no program could read is refused by name", () => {
  const encoder = new PairEncoder(recordBytesMax);
  const cases: [Pair, string, RegExp][] = [
    [["k", null], "bad-record", /the value of the key 'k' is null: an external program reads text, bytes and numbers/],
    [[["a"], 1], "bad-record", /the key is \[ 'a' \]/],
    [["k", { a: 1 }], "bad-record", /the value of the key 'k' is \{ a: 1 \}/],
    [["k", "\ud800"], "bad-record", /half a surrogate pair/],
    [["k", "x".repeat(recordBytesMax)], "record-too-large", /the record with the key 'k' takes 1\.0 MB/],
    [["k", new Uint8Array(recordBytesMax + 1)], "record-too-large", /'k'/],
  ];
  for (const [[key, value], code, message] of cases) assert.throws(() => encoder.add(key, value), fails(code, message));
});

function number(n: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(n);
  return bytes;
}

test("what is no list is refused: for what it says, if it is text", () => {
  const cases: [Buffer, string, RegExp][] = [
    [number(2_000_000), "external-protocol", /announced a result list of 2,000,000 pairs; 1,000,000 are allowed/],
    [Buffer.from("hello, world\n"), "external-protocol", /wrote 'hello, world\\n' where the number of pairs/],
    [Buffer.concat([number(1), number(2 ** 31)]), "external-protocol", /a key size of 2,147,483,648 bytes/],
    [
      Buffer.concat([number(1), number(1), Buffer.from("k"), number(2 ** 32 - 1)]),
      "external-protocol",
      /value size of 4,294,967,295/,
    ],
    [Buffer.concat([number(1), number(2 * recordBytesMax)]), "record-too-large", /takes 2\.0 MB/],
    [
      Buffer.concat([number(1), Buffer.from("text without sizes")]),
      "external-protocol",
      /key size of .* \('text without sizes'\)/,
    ],
    [listOf([[Uint8Array.of(0xff, 0xfe), "v"]]), "external-text", /a key of 2 bytes that is not UTF-8: fffe/],
  ];
  for (const [bytes, code, message] of cases)
    assert.throws(() => new Taken().decoder.push(bytes), fails(code, message));
  assert.throws(
    () => new Taken().decoder.push(listOf([["k", Uint8Array.of(0x80)]])),
    (error: DiscoError) => error.hint?.includes('{ values: "bytes" }') === true,
  );
});

test("any bytes at all are lists, or an error that says why not", () => {
  const small = fc.array(fc.constantFrom(0, 0, 0, 1, 2, 65, 200, 255), { maxLength: 200 });
  fc.assert(
    fc.property(fc.oneof(small, fc.array(fc.nat(255), { maxLength: 100 })), fc.nat(50), (numbers, cut) => {
      const { decoder } = new Taken("text", "bytes");
      const bytes = Buffer.from(numbers);
      try {
        decoder.push(bytes.subarray(0, cut));
        decoder.push(bytes.subarray(cut));
      } catch (error) {
        assert.match((error as DiscoError).code, /^(?:external-protocol|external-text|record-too-large)$/);
        assert.ok((error as DiscoError).hint);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("a list of 1,000,000 pairs is a list", () => {
  const taken = new Taken();
  taken.decoder.push(number(1_000_000));
  taken.decoder.push(Buffer.alloc(7_999_999));
  assert.equal(taken.lists.length, 0);
  taken.decoder.push(Buffer.alloc(1));
  assert.equal(taken.lists[0]?.length, 1_000_000);
});

test("what is half-read is told", () => {
  const list = listOf([
    ["key", "value"],
    ["key", "value"],
  ]);
  const cases: [number, string | null][] = [
    [0, null],
    [3, "in the middle of the number that begins a list"],
    [4, "in the middle of a list: 2 pairs were announced, 0 came"],
    [25, "in the middle of a list: 2 pairs were announced, 1 came and 5 bytes of the next"],
    [36, null],
  ];
  for (const [bytes, expected] of cases) {
    const { decoder } = new Taken();
    decoder.push(list.subarray(0, bytes));
    assert.equal(decoder.unfinished, expected);
  }
});
