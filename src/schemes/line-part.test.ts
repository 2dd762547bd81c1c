import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LinePart } from "./line-part.ts";

const line = fc.string({ maxLength: 6, unit: fc.constantFrom("a", "b", "é") });

test("parts hold each line once, wherever the cuts fall and however the bytes come", () => {
  fc.assert(
    fc.property(
      fc.array(line),
      fc.boolean(),
      fc.array(fc.nat(60), { maxLength: 4 }),
      fc.integer({ min: 1, max: 9 }),
      (lines, isEnded, cuts, chunkBytes) => {
        const bytes = Buffer.from(lines.join("\n") + (isEnded ? "\n" : ""));
        const offsets = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const read = offsets.slice(1).map((to, i) => linesOf(bytes, offsets[i] ?? 0, to, chunkBytes));
        assert.equal(read.join(""), bytes.toString());
        for (const part of read.slice(0, -1)) assert.ok(part === "" || part.endsWith("\n") || isLast(part, bytes));
      },
    ),
  );
});

function linesOf(bytes: Buffer, from: number, to: number, chunkBytes: number): string {
  const part = new LinePart(from, to);
  const taken: Uint8Array[] = [];
  for (let at = part.start; at < bytes.length && !part.isDone; at += chunkBytes) {
    taken.push(part.take(bytes.subarray(at, at + chunkBytes)));
  }
  return Buffer.concat(taken).toString();
}

function isLast(part: string, bytes: Buffer): boolean {
  return bytes.toString().endsWith(part);
}
