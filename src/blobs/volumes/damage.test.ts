import assert from "node:assert/strict";
import { it } from "node:test";
import { DiscoError } from "../../errors.ts";
import type { DamagedBlob } from "../../protocol/ddfs/messages.ts";
import { chunked, freshObject } from "../contract.ts";
import { blobFile, sumFile } from "./layout.ts";
import { RecordedDisk } from "./recorded-disk.test-kit.ts";
import { Volumes } from "./volumes.ts";

const bitsOfByte = 8;

/** What a reader has had when the blob's end, or its refusal, came. */
async function readAll(blobs: Volumes, object: string): Promise<{ readonly got: Buffer; readonly ended: boolean }> {
  const got: Buffer[] = [];
  try {
    const opened = await blobs.open(object);
    if (opened === null) return { got: Buffer.alloc(0), ended: false };
    for await (const chunk of opened.body as AsyncIterable<Buffer>) got.push(chunk);
    return { got: Buffer.concat(got), ended: true };
  } catch (error) {
    assert.ok(error instanceof DiscoError && error.code === "blob-damaged", String(error));
    return { got: Buffer.concat(got), ended: false };
  }
}

it("10,000 flipped bits and all truncations, of a blob and of its sum, are noticed, told once each, and none is served (faults 54, 55)", async () => {
  const disk = new RecordedDisk(["/vol0"]);
  const damaged: DamagedBlob[] = [];
  const places = [{ name: "vol0", directory: "/vol0" }];
  const blobs = new Volumes({ places, disk, now: () => 0, found: (blob) => damaged.push(blob) });
  await blobs.begin();
  const bytes = Buffer.from(Array.from({ length: 1_250 }, (_, i) => (i * 31) % 251));
  const object = freshObject();
  const { digest } = await blobs.put(object, chunked(bytes, 100));
  const [file, sum] = [blobFile("/vol0", object), sumFile("/vol0", object)];
  const sumBytes = Buffer.from(`${digest} ${bytes.length}\n`);
  let done = 0;
  const assertNoticed = async (path: string, change: (bytes: Buffer) => Buffer): Promise<void> => {
    disk.place(file, bytes);
    disk.place(sum, sumBytes);
    disk.spoil(path, change);
    const { got, ended } = await readAll(blobs, object);
    done++;
    assert.equal(ended, false, `change ${done} of ${path} was served`);
    assert.ok(got.length < bytes.length);
    assert.equal(damaged.length, done);
    assert.equal(await blobs.stat(object), null);
  };
  for (const [path, size] of [
    [file, bytes.length],
    [sum, sumBytes.length],
  ] as const) {
    for (let bit = 0; bit < size * bitsOfByte; bit++) {
      await assertNoticed(path, (content) => {
        const at = Math.floor(bit / bitsOfByte);
        content[at] = (content[at] ?? 0) ^ (1 << (bit % bitsOfByte));
        return content;
      });
    }
    for (let length = 0; length < size; length++) await assertNoticed(path, (content) => content.subarray(0, length));
    await assertNoticed(path, (content) => Buffer.concat([content, Buffer.from([0])]));
  }
  assert.ok(done > 11_000, String(done));
  // Whole, it is served.
  disk.place(file, bytes);
  disk.place(sum, sumBytes);
  assert.deepEqual(await readAll(blobs, object), { got: bytes, ended: true });
});
