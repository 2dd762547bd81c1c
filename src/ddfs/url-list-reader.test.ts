import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DiscoError } from "../errors.ts";
import { UrlListReader } from "./url-list-reader.ts";
import { urlParts } from "./url-text.ts";

function read(bytes: Buffer, chunkBytes: number): string[] {
  const reader = new UrlListReader();
  for (let from = 0; from < bytes.length; from += chunkBytes) reader.push(bytes.subarray(from, from + chunkBytes));
  return reader.end();
}

const url = fc
  .array(fc.constantFrom("a", "é", "😀", '"', "\\", "[", "]", "{", "}", ",", "$"), { minLength: 1, maxLength: 6 })
  .map((parts) => `raw://${parts.join("")}`);
const lists = fc.array(fc.oneof(url, fc.array(url, { minLength: 1, maxLength: 3 })), { maxLength: 8 });

describe("a list of URLs that comes bit by bit", () => {
  it("is what it would be as a whole, wherever it is cut", () => {
    fc.assert(
      fc.property(lists, fc.boolean(), fc.integer({ min: 1, max: 40 }), (list, isSpaced, chunkBytes) => {
        const bytes = Buffer.from(isSpaced ? JSON.stringify(list, null, 2) : JSON.stringify(list));
        assert.deepEqual(read(bytes, chunkBytes), urlParts(list));
      }),
      { numRuns: 300 },
    );
  });

  it("is refused where it is no list of lists of URLs, wherever it is cut", () => {
    const wrong = [
      ["", "bad-json"],
      ["[", "bad-json"],
      ['[["raw://a"]', "bad-json"],
      ['[["raw://a"],]', "bad-json"],
      ['[,["raw://a"]]', "bad-json"],
      ['[["raw://a"],,["raw://b"]]', "bad-json"],
      ['[["raw://a"]]]', "bad-json"],
      ['[["raw://a"]] x', "bad-json"],
      ['{"a":1}', "bad-json"],
      ['"raw://a"', "bad-json"],
      ['[["raw://a" "raw://b"]]', "bad-json"],
      ["[[nope]]", "bad-json"],
      ['[["raw://a\\', "bad-json"],
      ["[1]", "bad-url"],
      ["[[1]]", "bad-url"],
      ["[[]]", "bad-url"],
      ['[[["raw://a"]]]', "bad-url"],
      ['[{"raw://a":1}]', "bad-url"],
      ['[["raw://a b"]]', "bad-url"],
      ['[["raw://a\\tb"]]', "bad-url"],
      ['[["disco://h/ddfs/vol0/blob/../../x$00-1-1"]]', "bad-url"],
      ['[["tag://../x"]]', "bad-url"],
    ] as const;
    for (const [text, code] of wrong) {
      for (const chunkBytes of [1, 3, 1_000]) {
        assert.throws(() => read(Buffer.from(text), chunkBytes), { code }, `${text} by ${chunkBytes}`);
      }
    }
    assert.throws(() => read(Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), 2), { code: "bad-json" });
  });

  it("holds no more than an entry that is too long", () => {
    const reader = new UrlListReader();
    reader.push(Buffer.from('[["raw://a"],["'));
    const chunk = Buffer.alloc(64 * 1024, "x");
    assert.throws(
      () => {
        for (let i = 0; i < 1_000; i++) reader.push(chunk);
      },
      (error) => error instanceof DiscoError && /entry 1 has more than/.test(error.message),
    );
  });
});
