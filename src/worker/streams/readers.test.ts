import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import type { DiscoError } from "../../errors.ts";
import { ownRecipe } from "../own.ts";
import { ownFunction } from "../own-functions.ts";
import { bytesReader } from "./bytes.ts";
import { gzipReader, zstdReader } from "./compressed.ts";
import { csvReader } from "./csv.ts";
import { jsonlReader } from "./jsonl.ts";
import { lineReader, mapLineReader } from "./lines.ts";
import { netstrReader, netstrWriter } from "./netstr.ts";
import { objectReader, objectWriter } from "./objects.ts";
import { reReader } from "./regexp.ts";

// biome-ignore lint/suspicious/noExplicitAny: readers of all entries
type AnyReader = (stream: Iterable<Uint8Array>, size: number, url: string) => IterableIterator<any>;

/** The bytes in chunks of these lengths, and what is left in one. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  chunks.push(bytes.subarray(at));
  return chunks;
}

const read = (reader: AnyReader, data: string | Uint8Array, lengths: readonly number[] = []): unknown[] => [
  ...reader(cut(Buffer.from(data), lengths), 0, "file.txt"),
];
const lengths = fc.array(fc.nat(7), { maxLength: 20 });

function fails(code: string, message: RegExp) {
  return (error: DiscoError) => {
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

test("lines are the same however the bytes are cut", () => {
  const line = fc.string({ maxLength: 8, unit: fc.constantFrom("a", "é", "日", "😀", " ") });
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom("\n", "\r\n"), fc.boolean(), lengths, (lines, end, ended, at) => {
      const text = lines.map((each) => each + end).join("");
      const data = ended ? text : text.slice(0, -end.length || undefined);
      const expected = ended || lines.at(-1) !== "" ? lines : lines.slice(0, -1);
      assert.deepEqual(read(mapLineReader, data, at), expected);
    }),
  );
});

test("a byte order mark is skipped, invalid UTF-8 replaced, and latin1 keeps every byte", () => {
  assert.deepEqual(read(mapLineReader, "\ufeffa\nb"), ["a", "b"]);
  assert.deepEqual(read(mapLineReader, Uint8Array.of(97, 0xff, 10, 98)), ["a\ufffd", "b"]);
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const lines = read(lineReader({ encoding: "latin1" }), bytes) as string[];
  assert.deepEqual(Buffer.from(lines.join("\n"), "latin1"), Buffer.from(bytes));
});

test("what is not text is refused with a hint", () => {
  assert.throws(() => read(mapLineReader, Buffer.from("text", "utf16le")), fails("not-text", /NUL/));
  assert.throws(() => read(mapLineReader, Uint8Array.of(0xff, 0xfe, 97, 0)), fails("not-text", /UTF-16/));
  assert.throws(() => read(mapLineReader, gzipSync("x")), fails("not-text", /gzip/));
  assert.throws(() => read(mapLineReader, zstdCompressSync("x")), fails("not-text", /zstd/));
});

test("a line that never ends is an error and not a full memory", () => {
  const chunk = Buffer.alloc(1024 * 1024, 97);
  const endless = function* () {
    for (;;) yield chunk;
  };
  assert.throws(() => [...mapLineReader(endless(), 0, "big")], fails("record-too-long", /big: a line is longer than/));
});

test("readers take async streams, and text instead of bytes", async () => {
  const stream = (async function* () {
    yield Buffer.from("a\nb");
    yield "c\n";
  })();
  const lines: string[] = [];
  for await (const line of mapLineReader(stream as unknown as Iterable<Uint8Array>, 0, "x")) lines.push(line);
  assert.deepEqual(lines, ["a", "bc"]);
  assert.throws(
    () => [...mapLineReader([1] as unknown as Iterable<Uint8Array>, 0, "x")],
    /mapLineReader reads a stream of byte chunks/,
  );
});

test("records by a regular expression do not depend on chunks", () => {
  const words = fc.array(fc.string({ minLength: 1, maxLength: 5, unit: fc.constantFrom("a", "b", "é") }));
  fc.assert(
    fc.property(words, lengths, (items, at) => {
      const data = items.map((word, i) => `${i}=${word};`).join("");
      const expected = items.map((word, i) => [String(i), word]);
      assert.deepEqual(read(reReader(/(\d+)=(\w*[^;]*);/), data, at), expected);
    }),
  );
  assert.deepEqual(read(reReader(/\w+\s*/), "ab cd ef", [1, 1, 1]), [["ab "], ["cd "], ["ef"]]);
  assert.throws(() => read(reReader(/(a)/), "aab"), fails("bad-record", /last 1 characters do not match/));
  assert.throws(() => read(reReader(/x*/), "aab"), fails("bad-record", /empty string|do not match/));
});

test("netstrings and objects survive any cut", () => {
  const pair = fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }));
  fc.assert(
    fc.property(fc.array(pair), lengths, (pairs, at) => {
      for (const [writer, reader] of [
        [netstrWriter, netstrReader],
        [objectWriter, objectReader],
      ] as const) {
        const parts: Buffer[] = [];
        const sink = { write: (chunk: Uint8Array | string) => void parts.push(Buffer.from(chunk as string)) };
        for (const [key, value] of pairs) writer(sink, key, value);
        assert.deepEqual(read(reader, Buffer.concat(parts), at), pairs);
      }
    }),
  );
  assert.throws(() => read(netstrReader, "1 a 2 b"), fails("bad-record", /byte 0.*cut off/));
  assert.throws(() => read(netstrReader, "1 a x b\n"), fails("bad-record", /byte 4/));
  assert.throws(() => read(netstrReader, "99999999999 a"), fails("bad-record", /length/));
  assert.throws(() => read(objectReader, Buffer.alloc(7, 1)), fails("bad-record", /byte 0.*cut off/));
});

test("a large record is put together in linear time", () => {
  const chunks: Uint8Array[] = [];
  const sink = { write: (chunk: Uint8Array | string) => void chunks.push(Buffer.from(chunk)) };
  const text = "x".repeat(64 * 1024 * 1024);
  for (const value of ["before", text, "after"]) objectWriter(sink, "k", value);
  const bytes = Buffer.concat(chunks);
  const pieces = Array.from({ length: Math.ceil(bytes.length / 4096) }, (_, i) =>
    bytes.subarray(i * 4096, (i + 1) * 4096),
  );
  const started = performance.now();
  const values = [...objectReader(pieces, 0, "mem:large")].map(([, value]) => value as string);
  // Copying all that has come for each piece would be 500 GB.
  assert.ok(performance.now() - started < 20_000);
  assert.deepEqual([values[0], values[1] === text, values[2]], ["before", true, "after"]);
});

test("JSON lines name the line that is none", () => {
  assert.deepEqual(read(jsonlReader, '{"a":1}\n\n[2]\n"x"', [3, 3]), [{ a: 1 }, [2], "x"]);
  assert.throws(() => read(jsonlReader, '1\n{"a":\n'), fails("bad-record", /file\.txt, line 2 is not JSON: \{"a":/));
});

test("CSV fields may hold delimiters, quotes and line ends", () => {
  const field = fc.string({ maxLength: 6, unit: fc.constantFrom("a", ",", '"', "\n", "\r\n", " ", "é") });
  const row = fc.array(field, { minLength: 1, maxLength: 3 }).filter((fields) => fields.join("") !== "");
  const quote = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  fc.assert(
    fc.property(fc.array(row), fc.constantFrom("\n", "\r\n"), lengths, (rows, end, at) => {
      const data = rows.map((fields) => fields.map(quote).join(",") + end).join("");
      assert.deepEqual(read(csvReader(), data, at), rows);
    }),
  );
  assert.deepEqual(read(csvReader({ header: true }), "\ufeffid;name\r\n1;x\r\n", []), [{ "id;name": "1;x" }]);
  assert.deepEqual(read(csvReader({ header: ["id", "name"], delimiter: ";" }), "1;x"), [{ id: "1", name: "x" }]);
  assert.throws(
    () => read(csvReader({ header: true }), "a,b\n1\n"),
    fails("bad-record", /record 2: it has 1 fields, the header names 2/),
  );
  assert.throws(() => read(csvReader(), 'a,"b\n'), fails("bad-record", /quote is not closed/));
  assert.throws(() => csvReader({ delimiter: ";;" }), fails("bad-option", /delimiter/));
});

for (const [name, reader, compress] of [
  ["gzip", gzipReader, gzipSync],
  ["zstd", zstdReader, zstdCompressSync],
] as const) {
  test(`${name} is decompressed, also of several members, however it is cut`, () => {
    const big = Buffer.from("a line of text that repeats\n".repeat(60_000));
    const data = Buffer.concat([compress("one "), compress(""), compress(big), compress("last")]);
    for (const at of [[], [1, 2, 3, 1, 1, 1, 5], Array.from({ length: data.length }, () => 7)]) {
      const whole = Buffer.concat(read(reader, data, at) as Uint8Array[]);
      assert.ok(whole.equals(Buffer.concat([Buffer.from("one "), big, Buffer.from("last")])));
    }
  });

  test(`${name} that is cut off or damaged is an error with an offset`, () => {
    const params = { [constants.ZSTD_c_checksumFlag]: 1 };
    const data = compress(Buffer.from("some text that is compressed ".repeat(100)), { params });
    assert.throws(
      () => read(reader, data.subarray(0, data.length - 3)),
      fails("bad-compressed", /file\.txt: .*byte \d+.*cut off/),
    );
    const bad = Buffer.from(data);
    bad[bad.length >> 1] = (bad[bad.length >> 1] as number) ^ 0xff;
    bad[(bad.length >> 1) + 1] = 0;
    assert.throws(() => read(reader, bad), fails("bad-compressed", /damaged|cut off/));
    assert.throws(() => read(reader, "plain text, no magic"), fails("bad-compressed", /byte/));
  });

  test(`${name} in an async chain, and left early`, async () => {
    const stream = (async function* () {
      yield compress("hello");
    })();
    const parts: Uint8Array[] = [];
    for await (const part of reader(stream as unknown as Iterable<Uint8Array>, 0, "x")) parts.push(part);
    assert.equal(Buffer.concat(parts).toString(), "hello");
    for (const _ of reader([compress(Buffer.alloc(8_000_000))], 0, "x")) break;
  });
}

test("skippable frames of zstd are skipped", () => {
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const data = Buffer.concat([skippable, zstdCompressSync("a"), skippable, zstdCompressSync("b")]);
  for (const at of [[], [1, 1, 1, 1, 1, 1], [10, 3, 9]]) {
    assert.equal(Buffer.concat(read(zstdReader, data, at) as Uint8Array[]).toString(), "ab");
  }
});

test("a decompression bomb is stopped", () => {
  const bomb = zstdCompressSync(Buffer.alloc(300 * 1024 * 1024));
  let bytes = 0;
  assert.throws(
    () => {
      for (const chunk of zstdReader([bomb], 0, "bomb")) bytes += chunk.length;
    },
    fails("decompression-bomb", /1000 times/),
  );
  assert.ok(bytes < 270 * 1024 * 1024);
});

test("bytes come as they are, without empty chunks", () => {
  assert.deepEqual(read(bytesReader, "abc", [1, 0, 1]).map(String), ["a", "b", "c"]);
});

test("every own function is made again from its recipe", () => {
  for (const fn of [
    mapLineReader,
    bytesReader,
    netstrReader,
    reReader(/(\w+) /g),
    csvReader({ header: ["x"] }),
    lineReader({}),
  ]) {
    const recipe = ownRecipe(fn);
    assert.ok(recipe !== undefined);
    const again = ownFunction(recipe) as unknown as AnyReader;
    assert.deepEqual(ownRecipe(again), recipe);
  }
  const again = ownFunction(ownRecipe(reReader(/(\w+) /g)) ?? { name: "" }) as unknown as AnyReader;
  assert.deepEqual(read(again, "ab cd "), [["ab"], ["cd"]]);
  assert.throws(() => ownFunction({ name: "toString" }), fails("unknown-function", /toString/));
});
