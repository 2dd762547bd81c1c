import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { FinalWriter } from "./final-writer.ts";
import { readBlockBatches, readBlocks, readBlocksAsync } from "./read-blocks.ts";
import { SegmentFile } from "./segment-file.ts";
import { type Pair, tempDir } from "./storage.test-kit.ts";

const options = { jobDir: "localhost/0a/job", name: "reduce-3-0", label: 0, budgetBytes: 1e6 };

function* pieces(bytes: Buffer, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* slowly(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  yield* pieces(bytes, size);
}

test("there is a file for each label that got records, and none without", (t) => {
  const dataDir = tempDir(t);
  const writer = new FinalWriter({ ...options, dataDir, partitions: 5, sync: true });
  writer.add(3, "a", 1, -1);
  writer.add(1, "b", 2, -1);
  writer.add(3, "c", 3, -1);
  const { files } = writer.finish();
  assert.deepEqual(
    files.map(({ label, file, records }) => [label, file, records]),
    [
      [1, "localhost/0a/job/reduce-3-0.1.disco", 1],
      [3, "localhost/0a/job/reduce-3-0.3.disco", 2],
    ],
  );
  for (const { file, bytes } of files) assert.equal(fs.statSync(path.join(dataDir, file)).size, bytes);
  assert.deepEqual(new FinalWriter({ ...options, dataDir, partitions: null }).finish().files, []);
});

test("results are read back from chunks of any size, and a cut is detected", async (t) => {
  const dataDir = tempDir(t);
  const writer = new FinalWriter({ ...options, dataDir, partitions: null, label: 7, budgetBytes: 9000, codec: "auto" });
  const pairs: Pair[] = Array.from({ length: 1000 }, (_, i) => [`key ${i}`, { i }]);
  for (const [key, value] of pairs) writer.add(0, key, value, -1);
  const bytes = fs.readFileSync(path.join(dataDir, writer.finish().files[0]?.file ?? ""));
  for (const size of [1, 13, 1000, bytes.length]) {
    assert.deepEqual([...readBlocks(pieces(bytes, size))], pairs);
  }
  assert.deepEqual(await Array.fromAsync(readBlocksAsync(slowly(bytes, 99))), pairs);
  let batches = 0;
  for await (const batch of readBlockBatches(slowly(bytes, 1 << 20))) batches += Math.sign(batch.n);
  assert.ok(batches > 5);
  assert.throws(() => [...readBlocks(pieces(bytes.subarray(0, -5), 1000))], {
    code: "bad-block",
    message: /ends in the middle/,
  });
  bytes[bytes.length >>> 1] = (bytes[bytes.length >>> 1] as number) ^ 1;
  assert.throws(() => [...readBlocks(pieces(bytes, 1000))], {
    code: "bad-block",
    message: /block at byte \d+ of the stream/,
  });
});

test("an aborted attempt leaves no files", (t) => {
  const dataDir = tempDir(t);
  const writer = new FinalWriter({ ...options, dataDir, partitions: 2, budgetBytes: 500 });
  for (let i = 0; i < 50; i++) writer.add(i % 2, `key ${i}`, i, -1);
  assert.equal(fs.readdirSync(path.join(dataDir, options.jobDir)).length, 2);
  writer.abort();
  assert.deepEqual(fs.readdirSync(path.join(dataDir, options.jobDir)), []);
});

test("a full disk is an error that is retried elsewhere", {
  skip: !fs.existsSync("/dev/full") && "no /dev/full",
}, (t) => {
  const dataDir = tempDir(t);
  fs.mkdirSync(path.join(dataDir, options.jobDir), { recursive: true });
  fs.symlinkSync("/dev/full", path.join(dataDir, options.jobDir, `${options.name}.0.disco`));
  const writer = new FinalWriter({ ...options, dataDir, partitions: null });
  writer.add(0, "a", 1, -1);
  assert.throws(() => writer.finish(), { code: "disk-full", retry: "elsewhere", message: /no space left/ });
});

test("a segment file is never written over", (t) => {
  const file = path.join(tempDir(t), "a", "b.seg");
  const segment = SegmentFile.create(file);
  assert.throws(() => SegmentFile.create(file), { code: "EEXIST" });
  const large = Buffer.alloc(600_000, 7);
  assert.deepEqual(
    [segment.append(Buffer.from("abc")), segment.append(large), segment.append(Buffer.from("d"))],
    [0, 3, 600_003],
  );
  segment.close();
  segment.close();
  assert.equal(fs.statSync(file).size, 600_004);
});
