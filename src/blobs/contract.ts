/** What every store of blobs does (`blobs.ts`), as tests that each of them runs. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { objectOf } from "../core/ddfs/names.ts";
import type { Blobs } from "./blobs.ts";

export interface OpenedStore {
  readonly blobs: Blobs;
  dispose(): Promise<void>;
}

let micros = 1_000_000;
/** An object that no other test has. */
export function freshObject(name = "blob"): string {
  return objectOf(name, micros++);
}

export async function* chunked(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function blobsContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`a store of blobs: ${name}`, () => {
    const using = async (act: (blobs: Blobs) => Promise<void>): Promise<void> => {
      const { blobs, dispose } = await open();
      try {
        await act(blobs);
      } finally {
        await dispose();
      }
    };

    it("gives back what was put, whole and in parts, with size and digest", () =>
      using(async (blobs) => {
        const bytes = randomBytes(100_000);
        const object = freshObject();
        const stored = await blobs.put(object, chunked(bytes, 9_000));
        assert.deepEqual([stored.size, stored.digest], [bytes.length, sha256(bytes)]);
        const opened = await blobs.open(object);
        assert.ok(opened !== null);
        assert.deepEqual(await bytesOf(opened.body), bytes);
        for (const [from, to] of [
          [0, 5],
          [99_990, null],
          [50, 70_000],
          [100_000, null],
        ] as const) {
          const part = await blobs.open(object, { from, to });
          assert.ok(part !== null);
          assert.deepEqual(await bytesOf(part.body), bytes.subarray(from, to ?? undefined));
        }
        assert.deepEqual(await blobs.stat(object), stored);
        assert.equal(await blobs.verify(object, stored.volume), "sound");
      }));

    it("takes empty blobs", () =>
      using(async (blobs) => {
        const object = freshObject();
        const stored = await blobs.put(object, chunked(new Uint8Array(0)));
        assert.equal(stored.size, 0);
        const opened = await blobs.open(object);
        assert.equal((await bytesOf(opened?.body ?? chunked(new Uint8Array(1)))).length, 0);
      }));

    it("knows nothing of what is not there", () =>
      using(async (blobs) => {
        const object = freshObject();
        assert.equal(await blobs.open(object), null);
        assert.equal(await blobs.stat(object), null);
        assert.equal(await blobs.verify(object, "vol0"), "missing");
        assert.equal(await blobs.delete(object, "vol0", Number.POSITIVE_INFINITY), true);
      }));

    it("refuses names that no master gave, traversal in every form among them", () =>
      using(async (blobs) => {
        for (const bad of [
          "a",
          "../a$00-00-01",
          "a/b$00-00-01",
          "a$00-00-01/..",
          "..",
          "",
          "a$x-y-z",
          ".a$00-00-01",
          "a\0$00-00-01",
        ])
          await assert.rejects(blobs.put(bad, chunked(Buffer.from("x"))), { code: "bad-name" }, bad);
      }));

    it("refuses what is not what was announced, and nothing of it stays", () =>
      using(async (blobs) => {
        const object = freshObject();
        const bytes = Buffer.from("some bytes");
        for (const size of [9, 11])
          await assert.rejects(blobs.put(object, chunked(bytes), { size }), { code: "cut-off" });
        await assert.rejects(blobs.put(object, chunked(bytes), { digest: sha256(Buffer.from("other")) }), {
          code: "digest-mismatch",
        });
        async function* broken(): AsyncGenerator<Uint8Array> {
          yield bytes;
          throw new Error("cut");
        }
        await assert.rejects(blobs.put(object, broken()), /cut/);
        assert.equal(await blobs.stat(object), null);
        assert.equal((await blobs.list(undefined, 10)).blobs.filter((one) => one.object === object).length, 0);
        await blobs.put(object, chunked(bytes), { size: bytes.length, digest: sha256(bytes) });
      }));

    it("keeps an object as it was first stored: the same again is no error, other bytes are", () =>
      using(async (blobs) => {
        const object = freshObject();
        const bytes = randomBytes(1_000);
        const [one, two] = await Promise.all([blobs.put(object, chunked(bytes)), blobs.put(object, chunked(bytes))]);
        assert.equal(one.digest, two.digest);
        await assert.rejects(blobs.put(object, chunked(randomBytes(1_000))), { code: "blob-exists" });
        assert.equal((await blobs.stat(object))?.digest, sha256(bytes));
      }));

    it("lists all that it has, once, in pages", () =>
      using(async (blobs) => {
        const objects = Array.from({ length: 25 }, (_, i) => freshObject(`page${i}`));
        for (const object of objects) await blobs.put(object, chunked(Buffer.from(object)));
        const seen: string[] = [];
        let after: { volume: string; object: string } | undefined;
        for (;;) {
          const page = await blobs.list(after, 7);
          seen.push(...page.blobs.map((one) => one.object));
          const last = page.blobs.at(-1);
          if (page.isLast || last === undefined) break;
          after = last;
        }
        assert.deepEqual(seen.filter((one) => objects.includes(one)).sort(), [...objects].sort());
        assert.equal(new Set(seen).size, seen.length);
      }));

    it("deletes what is old enough, and keeps the rest", () =>
      using(async (blobs) => {
        const object = freshObject();
        const { volume, storedAt } = await blobs.put(object, chunked(Buffer.from("x")));
        assert.equal(await blobs.delete(object, volume, storedAt - 1_000), false);
        assert.ok((await blobs.stat(object)) !== null);
        assert.equal(await blobs.delete(object, volume, storedAt + 1_000), true);
        assert.equal(await blobs.stat(object), null);
      }));
  });
}
