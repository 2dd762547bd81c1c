import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import fc from "fast-check";
import { isTooSlow } from "../../http/body-watch.ts";
import { defaultLimits, headRefusal, isDeeper } from "../../http/limits.ts";

function refusal(head: { method?: string; url?: string; headers?: Record<string, string>; raw?: string[] }): number {
  const { method = "POST", url = "/", headers = {}, raw } = head;
  const rawHeaders = raw ?? Object.entries(headers).flat();
  const request = { method, url, headers, rawHeaders } as unknown as IncomingMessage;
  return headRefusal(request, 1_000, defaultLimits)?.status ?? 200;
}

test("85: a head is refused for what it announces", () => {
  assert.equal(refusal({ headers: { "content-length": "1000" } }), 200);
  assert.equal(refusal({ headers: { "content-length": "1001" } }), 413);
  assert.equal(refusal({ headers: { "content-length": "99999999999999999999" } }), 413);
  assert.equal(refusal({ url: `/${"x".repeat(4_096)}` }), 414);
  assert.equal(refusal({ raw: Array.from({ length: 202 }, (_, i) => `x-${i}`) }), 431);
  assert.equal(refusal({ method: "GET", headers: { "content-length": "1" } }), 400);
  assert.equal(refusal({ method: "HEAD", headers: { "transfer-encoding": "chunked" } }), 400);
  assert.equal(refusal({ headers: { "transfer-encoding": "gzip, chunked" } }), 501);
  assert.equal(refusal({ headers: { "transfer-encoding": "chunked" } }), 200);
  assert.equal(refusal({ headers: { "content-encoding": "gzip" } }), 415);
  assert.equal(refusal({ raw: ["Host", "a", "host", "b"] }), 400);
  assert.equal(refusal({ raw: ["Authorization", "a", "authorization", "b"] }), 400);
});

test("85: depth is that of JSON, brackets in strings do not count", () => {
  const deep = (text: string, max: number): boolean => isDeeper(Buffer.from(text), max);
  assert.ok(deep("[[", 1));
  assert.ok(!deep("[[]]", 2));
  assert.ok(!deep('["[[[", "\\"[[["]', 1));
  assert.ok(deep('{"a":[{}]}', 2));
  assert.ok(!deep("[],[],[]", 1));
  const depthOf = (value: unknown): number =>
    typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const depth = depthOf(value);
      const json = Buffer.from(JSON.stringify(value));
      return !isDeeper(json, depth) && (depth === 0 || isDeeper(json, depth - 1));
    }),
  );
});

test("50: a body that trickles is too slow, one that just comes in is not", () => {
  const limits = { bodyGraceMs: 10_000, bodyBytesPerSecondMin: 1_000 };
  assert.ok(!isTooSlow(1, 9_000, limits));
  assert.ok(isTooSlow(0, 10_000, limits));
  assert.ok(!isTooSlow(5_000, 15_000, limits));
  assert.ok(isTooSlow(4_999, 15_000, limits));
  assert.ok(!isTooSlow(1_000_000_000, 900_000_000, limits));
});
