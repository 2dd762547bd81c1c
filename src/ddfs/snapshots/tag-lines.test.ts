import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { Tags } from "../../core/ddfs/tags.ts";
import { readTagBytes, tagBytes } from "./tag-lines.ts";

function someTags(): Tags {
  const tags = new Tags();
  tags.handle({ kind: "cluster-named", at: 5, id: "c" });
  for (const tag of ["a", "b"]) {
    for (let i = 0; i < 3; i++) {
      const urls = `http://${tag}/${i}/${"é".repeat(40_000)}`;
      tags.handle({ kind: "tag-changed", at: i, tag, id: `${tag}$0-0-${i}`, change: { kind: "link", urls } });
    }
  }
  const change = { kind: "set-token", which: "read", token: "open sesame" } as const;
  tags.handle({ kind: "tag-changed", at: 9, tag: "a", id: "a$0-0-9", change });
  return tags;
}

async function* inParts(bytes: Uint8Array, length = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

const read = (bytes: Uint8Array): ReturnType<typeof Array.fromAsync> => Array.fromAsync(readTagBytes(inParts(bytes)));

describe("a snapshot of tags", () => {
  it("has all tags as they are, and no token", async () => {
    const saved = someTags().save();
    const bytes = await buffer(tagBytes(saved, 7));
    const [head, ...entries] = await Array.fromAsync(readTagBytes(inParts(bytes)));
    assert.deepEqual(head, { cluster: "c", at: 7, gc: 0, tags: 2 });
    const again = entries.map((entry) => ("tag" in entry ? { ...entry.tag, urls: entry.urls } : null));
    const [a, b] = saved.tags;
    assert.ok(a !== undefined && b !== undefined);
    assert.deepEqual(again[1], b);
    assert.match(again[0]?.readToken ?? "", /^sha256:[0-9a-f]{64}$/);
    assert.deepEqual({ ...again[0], readToken: a.readToken }, a);
    assert.doesNotMatch(gunzipSync(bytes).toString(), /sesame/);
  });

  it("shows when it is cut off anywhere, has a flipped bit, lacks a tag, or is something else (fault 58)", async () => {
    const bytes = await buffer(tagBytes(someTags().save(), 7));
    for (const end of [0, 1, 10, bytes.length >> 1, bytes.length - 9, bytes.length - 1])
      await assert.rejects(read(bytes.subarray(0, end)), { code: "bad-snapshot" }, `cut off at ${end}`);
    // Some bits of what is compressed say nothing.
    const sound = JSON.stringify(await read(bytes));
    let found = 0;
    for (let at = 0; at < bytes.length; at += 31) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 4;
      const seen = await read(flipped).then(JSON.stringify, (error: { code?: string }) => error.code);
      assert.ok(seen === "bad-snapshot" || seen === sound, `${seen?.slice(0, 100)} with a bit of ${at} flipped`);
      if (seen !== sound) found++;
    }
    assert.ok(found > 20, `${found} were found`);
    const lines = gunzipSync(bytes).toString().split("\n");
    const without = [lines[0], ...lines.slice(5)].join("\n");
    await assert.rejects(read(gzipSync(without)), { code: "bad-snapshot" });
    await assert.rejects(read(gzipSync('{"hello":1}\n')), { code: "bad-snapshot", message: /does not begin/ });
    await assert.rejects(read(gzipSync('{"disco-tags":2,"cluster":"c"}\n')), { message: /has version 2/ });
    await assert.rejects(read(Buffer.from("not even gzip")), { code: "bad-snapshot" });
  });
});
