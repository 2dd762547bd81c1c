import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type Lender, lend } from "../../schemes/scheme.ts";
import { inflatingReader } from "./inflating.ts";

const text = Buffer.from("lines of text\n".repeat(1_000));
const kinds: Readonly<Record<string, Buffer>> = {
  "text as it is": text,
  gzip: gzipSync(text),
  zstd: zstdCompressSync(text),
  "nothing at all": Buffer.alloc(0),
  "a byte": Buffer.from("x"),
  "half a mark": Buffer.from([0x28, 0xb5]),
};

function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/** Chunks that are all the same memory. */
function lender(chunks: readonly Buffer[]): Lender & Iterable<Uint8Array> {
  const memory = Buffer.alloc(Math.max(1, ...chunks.map(({ length }) => length)));
  return {
    [Symbol.iterator]: () => chunks[Symbol.iterator](),
    *[lend]() {
      for (const chunk of chunks) yield memory.subarray(0, chunk.copy(memory));
    },
  };
}

describe("a reader that decompresses what is compressed", () => {
  for (const [kind, bytes] of Object.entries(kinds)) {
    for (const size of [1, 3, 5_000]) {
      it(`gives ${kind} in pieces of ${size}, blocking, lent and waited for`, async () => {
        const expected = kind === "gzip" || kind === "zstd" ? text : bytes;
        const chunks = cut(bytes, size);
        assert.ok(Buffer.concat([...inflatingReader(chunks, 0, "u")]).equals(expected));
        const lent: Buffer[] = [];
        const source = inflatingReader(lender(chunks), 0, "u") as Partial<Lender>;
        for (const chunk of source[lend]?.() ?? []) lent.push(Buffer.from(chunk));
        assert.ok(Buffer.concat(lent).equals(expected));
        const later: Uint8Array[] = [];
        const stream = {
          async *[Symbol.asyncIterator]() {
            yield* chunks;
          },
        };
        const read = inflatingReader(stream as never, 0, "u") as unknown as AsyncIterable<Uint8Array>;
        for await (const chunk of read) later.push(chunk);
        assert.ok(Buffer.concat(later).equals(expected));
      });
    }
  }
});
