import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { DiscoError } from "../../errors.ts";
import { openUrl } from "../../schemes/open.ts";
import { type ByteSource, type Lender, lend } from "../../schemes/scheme.ts";
import { Progress } from "../progress.ts";
import { bytesReader } from "./bytes.ts";
import { countBytes, countText, TextCount } from "./counted.ts";
import { csvReader } from "./csv.ts";
import { jsonlReader } from "./jsonl.ts";
import { lineReader, mapLineReader } from "./lines.ts";
import { isLender } from "./stream.ts";

/** The chunks as a source that lends them: each is overwritten before the next one comes, and when there is none left. */
function lending(chunks: readonly Uint8Array[]): Iterable<Uint8Array> & Lender {
  return {
    [Symbol.iterator]: () => chunks.values(),
    *[lend]() {
      const memory = Buffer.alloc(Math.max(0, ...chunks.map((chunk) => chunk.length)));
      for (const chunk of chunks) {
        memory.set(chunk);
        yield memory.subarray(0, chunk.length);
        memory.fill(0x23);
      }
    },
  };
}

function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  let at = 0;
  const chunks = lengths.map((length) => bytes.subarray(at, (at += length)));
  return [...chunks, bytes.subarray(at)];
}

/** Lines from none to several pieces of what a decoder is given at once. */
const line = fc.tuple(
  fc.constantFrom("a", "é", "日", "😀", "\r", "x y "),
  fc.oneof({ weight: 8, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.nat(60_000) }),
);
const chunkLengths = fc.array(fc.oneof(fc.nat(9), fc.nat(200_000)), { maxLength: 6 });

test("lines are the same from memory that is lent, and however large the chunks are", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), fc.boolean(), chunkLengths, (parts, ended, lengths) => {
      const lines = parts.map(([unit, times]) => unit.repeat(times));
      const text = lines.join("\n") + (ended ? "\n" : "");
      const chunks = lending(cut(Buffer.from(text), lengths));
      const expected = text.split("\n");
      if (expected.at(-1) === "") expected.pop();
      for (const reader of [mapLineReader, lineReader({ encoding: "utf8" })]) {
        assert.deepEqual([...reader(chunks, 0, "x")], expected.map(withoutReturn));
      }
      const latin1 = [...lineReader({ encoding: "latin1" })(chunks, 0, "x")];
      assert.deepEqual(
        latin1.map((each) => Buffer.from(each, "latin1").toString()),
        expected.map(withoutReturn),
      );
    }),
    { numRuns: 60 },
  );
});

const withoutReturn = (text: string): string => (text.endsWith("\r") ? text.slice(0, -1) : text);

test("JSON lines are the same from memory that is lent", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.array(fc.nat(30)), (values, lengths) => {
      const text = values.map((value) => `${JSON.stringify(value)}\n`).join("");
      const expected = values.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
      assert.deepEqual([...jsonlReader(lending(cut(Buffer.from(text), lengths)), 0, "x")], expected);
    }),
  );
});

test("a reader whose records may hold on to chunks gets memory of its own for each", () => {
  const chunks = cut(Buffer.from("a,b\nc,d\n"), [2, 3]);
  assert.equal(Buffer.concat([...bytesReader(lending(chunks), 0, "x")]).toString(), "a,b\nc,d\n");
  assert.deepEqual(
    [...csvReader({ header: false })(lending(chunks), 0, "x")],
    [
      ["a", "b"],
      ["c", "d"],
    ],
  );
});

test("the longest line does not depend on how the bytes are cut", () => {
  const limit = 64 * 1024 * 1024;
  const bytes = Buffer.alloc(limit + 2, "a");
  bytes[limit] = 10;
  const longest = (lengths: number[]): number[] =>
    [...mapLineReader(cut(bytes, lengths), 0, "x")].map((each) => each.length);
  const refused = (error: DiscoError): boolean => error.code === "record-too-long";
  for (const lengths of [[], [limit]]) {
    bytes[limit] = 10;
    assert.deepEqual(longest(lengths), [limit, 1]);
    bytes[limit] = 97;
    bytes[limit + 1] = 10;
    assert.throws(() => longest(lengths), refused);
    bytes[limit + 1] = 97;
  }
});

test("counted sources lend what they are lent, and count it", () => {
  const progress = new Progress(new Int32Array(1), { progress() {}, status() {} }, 0, "map");
  const chunks = cut(Buffer.from("a\nb\nc"), [3]);
  const source = { url: "x", size: 5, ...lending(chunks) } as unknown as ByteSource;
  const text = countText(countBytes(source, progress), new TextCount(progress));
  assert.ok(isLender(text), "else each chunk would be fresh memory again");
  assert.deepEqual([...mapLineReader(text as unknown as Iterable<Uint8Array>, 5, "x")], ["a", "b", "c"]);
  assert.deepEqual([progress.bytesIn, progress.textBytes, progress.url], [5, 5, "x"]);
  const plain = countText(countBytes({ ...source, [lend]: undefined } as never, progress), new TextCount(progress));
  assert.equal(isLender(plain), false);
});

test("a file lends the bytes that it gives, whole and in parts, in one piece of memory", async () => {
  const directory = await mkdtemp(join(tmpdir(), "disco-lent-"));
  try {
    const path = join(directory, "text.txt");
    const lines = Array.from({ length: 60_000 }, (_, i) => `line ${i} ${"x".repeat(i % 17)}\n`).join("");
    await writeFile(path, lines);
    const size = Buffer.byteLength(lines);
    fc.assert(
      fc.property(fc.nat(size), fc.nat(size), fc.boolean(), (a, b, whole) => {
        const url = whole ? path : `${path}#bytes=${Math.min(a, b)}-${Math.max(a, b)}`;
        const memory = new Set<ArrayBufferLike>();
        const lent: Buffer[] = [];
        const source = openUrl(url, {});
        assert.ok(isLender(source));
        for (const chunk of source[lend]()) {
          memory.add(chunk.buffer);
          lent.push(Buffer.from(chunk));
        }
        assert.ok(memory.size <= 1);
        assert.ok(Buffer.concat(lent).equals(Buffer.concat([...openUrl(url, {})])));
      }),
      { numRuns: 40 },
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});
