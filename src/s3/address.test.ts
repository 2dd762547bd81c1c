import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseS3Place, parseS3Url, s3Url } from "./address.ts";

const key = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
  .filter(
    (text) => text.isWellFormed() && !text.includes("\0") && !text.split("/").some((part) => /^\.\.?$/.test(part)),
  );

test("an address is its bucket, its key as it stands, and what is known of the object", () => {
  const etag = fc.option(fc.stringMatching(/^"[0-9a-f]{32}(?:-\d{1,5})?"$/));
  const part = fc.option(fc.record({ from: fc.nat(), to: fc.nat() }, { noNullPrototype: true }));
  fc.assert(
    fc.property(key, etag, part, (name, tag, lines) => {
      // What ends like something known is told apart where something is known.
      fc.pre(!/#(?:etag="[^"]*")?&?(?:bytes=\d+-\d+)?$/.test(name) || tag !== null || lines !== null);
      const address = { bucket: "logs", key: name, etag: tag, part: lines };
      assert.deepEqual(parseS3Url(s3Url(address)), address);
    }),
  );
});

test("what is no address of an object is refused, with the form that is", () => {
  for (const url of [
    "s3://",
    "s3:///key",
    "s3://bucket",
    "s3://bucket/",
    "s3://bu cket/key",
    "s3://a/key",
    "s3://bucket@host/key",
    "s3://bucket:80/key",
    "s3://buc..ket/key",
    "s3://../key",
    "s3://bucket/..",
    "s3://bucket/a/../b",
    "s3://bucket/./b",
    "s3://bucket/a\0b",
    `s3://bucket/${"k".repeat(1025)}`,
    "s3://bucket/\ud800",
  ])
    assert.throws(() => parseS3Url(url), { code: "bad-url", retry: "never", hint: /s3:\/\/BUCKET\/KEY/ }, url);
});

test("a place is a bucket and a prefix that ends with a slash", () => {
  assert.deepEqual(parseS3Place("s3://blobs"), { bucket: "blobs", prefix: "" });
  assert.deepEqual(parseS3Place("s3://blobs/a/b"), { bucket: "blobs", prefix: "a/b/" });
  assert.deepEqual(parseS3Place("s3://blobs/a/"), { bucket: "blobs", prefix: "a/" });
  for (const url of ["s3://", "s3://a", "s3://blobs/../other", "http://blobs/x"])
    assert.throws(() => parseS3Place(url), { code: "bad-url" }, url);
});
