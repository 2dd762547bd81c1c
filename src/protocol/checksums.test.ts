import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { checksumIn, checksumsFileOf, formatChecksums, indexFile, isIndexText } from "./checksums.ts";

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

test("a list of checksums is what sha256sum writes, and gives each file's by its whole name", () => {
  const list = formatChecksums([
    { file: "reduce-0-0.0.out", digest: digest("a") },
    { file: "reduce-0-0.10.out", digest: digest("b") },
  ]);
  assert.match(list, /^[0-9a-f]{64} {2}reduce-0-0\.0\.out\n[0-9a-f]{64} {2}reduce-0-0\.10\.out\n$/);
  assert.equal(checksumIn(list, "reduce-0-0.10.out"), Buffer.from(digest("b"), "hex").toString("base64"));
  for (const file of ["reduce-0-0.1.out", "0.out", ""]) assert.equal(checksumIn(list, file), null);
  assert.equal(checksumIn(list.slice(0, 50), "reduce-0-0.0.out"), null);
});

test("only results in a user's format have a list beside them", () => {
  assert.equal(checksumsFileOf("my-stage-3-1.12.out"), ".disco/my-stage-3-1.sums");
  for (const file of ["reduce-0-0.0.disco", "work/a-0-0.0.out", "../a-0-0.0.out", ".disco/oob-a-0-0-0", "jobfile"]) {
    assert.equal(checksumsFileOf(file), null, file);
  }
});

test("the name of an index is good for its own text, and a name without a checksum for any", () => {
  const text = "0 disco://localhost/disco/localhost/00/j@1:2:3/reduce-0-0.0.disco 28\n";
  const file = indexFile("reduce-0-0", text);
  assert.match(file, /^\.disco\/reduce-0-0\.[0-9a-f]{8}\.results$/);
  assert.ok(isIndexText(`/disco/localhost/00/j@1:2:3/${file}`, text));
  assert.ok(isIndexText(indexFile("map-0-0", ""), ""));
  for (let at = 0; at < text.length; at++) {
    assert.ok(!isIndexText(file, text.slice(0, at)));
    assert.ok(!isIndexText(file, `${text.slice(0, at)}~${text.slice(at + 1)}`));
  }
  assert.ok(isIndexText("/disco/node/00/j@1:2:3/.disco/map-0-4a8.results", text));
});
