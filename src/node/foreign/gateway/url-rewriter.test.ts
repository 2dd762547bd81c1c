import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { rewriteUrls, UrlRewriter } from "./url-rewriter.ts";

const shout = (url: string): string => (url.startsWith("disco:") ? `${url.toUpperCase()}"\\` : url);

/** What it does, said with all of the value at hand. */
function expected(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => inList(one));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      name === "urls" && Array.isArray(one) ? inList(one) : (one as unknown),
    ]),
  );
}

/** Names of members are strings as well, but are none here. */
function inList(value: unknown): unknown {
  if (typeof value === "string") return shout(value);
  return Array.isArray(value) ? value.map(inList) : value;
}

const url = fc.oneof(
  fc.string().map((text) => `disco:${text}`),
  fc.string(),
);
const list = fc.array(fc.oneof(url, fc.array(url)));
const tag = fc.record(
  {
    version: fc.integer(),
    id: url,
    urls: list,
    "user-data": fc.dictionary(fc.string(), fc.oneof(url, fc.record({ urls: list }))),
  },
  { requiredKeys: [] },
);

describe("addresses in JSON", () => {
  it("are replaced in lists and in the list of a tag, and nowhere else, however the bytes come", () => {
    fc.assert(
      fc.property(
        fc.oneof(list, tag, url),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        fc.nat(2),
        (value, sizes, indent) => {
          const json = Buffer.from(JSON.stringify(value, null, indent));
          const rewriter = new UrlRewriter(shout);
          const out: Buffer[] = [];
          for (let at = 0; at < json.length; ) {
            const size = sizes.next().value as number;
            const part = Buffer.from(json.subarray(at, at + size));
            out.push(Buffer.from(rewriter.push(part)));
            part.fill(0);
            at += size;
          }
          out.push(rewriter.end());
          assert.deepEqual(JSON.parse(Buffer.concat(out).toString()), expected(JSON.parse(json.toString())));
        },
      ),
    );
  });

  it("leave what is no JSON as it is", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.deepEqual(
          rewriteUrls(Buffer.from(bytes), (text) => text),
          Buffer.from(bytes),
        );
      }),
    );
    assert.equal(rewriteUrls(Buffer.from('["disco:a'), shout).toString(), '["disco:a');
    const long = `["disco:${"a".repeat(300_000)}"]`;
    assert.equal(rewriteUrls(Buffer.from(long), shout).toString(), long);
  });
});
