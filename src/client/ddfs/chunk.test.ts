import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import zlib from "node:zlib";
import fc from "fast-check";
import { encodeBlock } from "../../protocol/block.ts";
import { chainReader } from "../../worker/streams/chain.ts";
import { gzipReader } from "../../worker/streams/compressed.ts";
import { jsonlReader } from "../../worker/streams/jsonl.ts";
import { mapLineReader } from "../../worker/streams/lines.ts";
import { type Kit, openKit } from "./ddfs.test-kit.ts";

let directory = "";
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "disco-chunks-"));
});
after(() => rm(directory, { recursive: true, force: true }));

interface Blob {
  readonly name: string;
  readonly size: number;
  readonly records: [unknown, unknown][];
}

/** The blobs of a tag, each read by itself, as a task would. */
async function chunks({ ddfs }: Kit, tag: string): Promise<Blob[]> {
  const blobs: Blob[] = [];
  for await (const blob of ddfs.pull(tag)) {
    const bytes = await blob.bytes();
    blobs.push({ name: blob.name, size: bytes.length, records: [...chainReader([bytes], 0, blob.name)] });
  }
  return blobs;
}

const recordsIn = (blobs: readonly Blob[]): [unknown, unknown][] => blobs.flatMap(({ records }) => records);
const linesOf = (n: number, from = 0): string[] =>
  Array.from({ length: n }, (_, i) => `line ${from + i} ${Math.imul(i, 2654435761) >>> 0}`);

describe("chunking", () => {
  it("cuts text at line ends into blobs of the size that was asked for, and loses nothing", async () => {
    const kit = openKit();
    const lines = linesOf(60_000);
    const path = join(directory, "my text.txt");
    await writeFile(path, lines.join("\n"));
    const chunkSize = 100_000;
    const [, blobs] = await kit.ddfs.chunk("t", path, { chunkSize, replicas: 2 });
    assert.ok(blobs.length >= 4, String(blobs.length));
    assert.ok(blobs.every((urls) => urls.length === 2));
    const read = await chunks(kit, "t");
    assert.deepEqual(
      read.map(({ name }) => name),
      read.map((_, i) => `my_text_txt-${i}`),
    );
    assert.deepEqual(
      recordsIn(read),
      lines.map((line) => [line, null]),
    );
    for (const { size } of read.slice(0, -1)) assert.ok(size >= chunkSize && size < 2 * chunkSize, String(size));
  });

  it("reads files, globs, compressed ones, streams, other tags and addresses, in their order", async () => {
    const kit = openKit();
    const text = `${linesOf(500).join("\n")}\n`;
    await writeFile(join(directory, "a.log"), text);
    await writeFile(join(directory, "b.log"), "b");
    await writeFile(join(directory, "c.gz"), zlib.gzipSync(text));
    await writeFile(join(directory, "d.zst"), zlib.zstdCompressSync(text));
    await writeFile(join(directory, "empty"), "");
    await writeFile(join(directory, "blocks"), encodeBlock(["k1", "k2"], [1, { two: 2 }]));
    await kit.ddfs.push("pushed", [join(directory, "c.gz"), join(directory, "blocks"), { name: "plain", data: "p\n" }]);
    const all = linesOf(500).map((line) => [line, null]);
    const cases: [string, unknown, unknown[]][] = [
      ["glob", join(directory, "*.log"), [...all, ["b", null]]],
      ["gzip", join(directory, "c.gz"), all],
      ["zstd", join(directory, "d.zst"), all],
      ["empty", [join(directory, "empty"), join(directory, "b.log")], [["b", null]]],
      [
        "blocks",
        join(directory, "blocks"),
        [
          ["k1", 1],
          ["k2", { two: 2 }],
        ],
      ],
      ["stream", { name: "s", data: Readable.from([zlib.gzipSync(text)]) }, all],
      [
        "text",
        { name: "s", data: "x\ny" },
        [
          ["x", null],
          ["y", null],
        ],
      ],
      ["tag", "tag://pushed", [...all, ["k1", 1], ["k2", { two: 2 }], ["p", null]]],
      [
        "replicas",
        [["raw://none_such"], ["file:///no/such/file", `file://${directory}/b.log`]],
        [
          ["none_such", null],
          ["b", null],
        ],
      ],
      ["part", `${directory}/a.log#bytes=0-1`, all.slice(0, 1)],
    ];
    for (const [tag, inputs, expected] of cases) {
      await kit.ddfs.chunk(tag, inputs as string);
      assert.deepEqual(recordsIn(await chunks(kit, tag)), expected, tag);
    }
    await kit.ddfs.chunk("again", "tag://glob");
    assert.deepEqual(recordsIn(await chunks(kit, "again")), cases[0]?.[2]);
  });

  it("takes readers of Disco and of users, at the end of a chain of them, whatever way the bytes come", async () => {
    const kit = openKit();
    await writeFile(join(directory, "x.jsonl"), '{"a":1}\n["k","v"]\n');
    await writeFile(join(directory, "x.jsonl.gz"), zlib.gzipSync('{"a":1}\n["k","v"]\n'));
    function* halves(stream: Iterable<string>): Generator<[string, number]> {
      for (const line of stream) yield [line.slice(0, 2), line.length];
    }
    const data = (): Readable => Readable.from(['{"a":1}\n["k"', ',"v"]\n']);
    const json = [
      [{ a: 1 }, null],
      ["k", "v"],
    ];
    const half = [
      ['{"', 7],
      ['["', 9],
    ];
    const own = { reader: jsonlReader };
    const users = { inputStream: [mapLineReader], reader: halves };
    const cases: [string, unknown, object, unknown][] = [
      ["1", join(directory, "x.jsonl"), own, json],
      ["2", join(directory, "x.jsonl.gz"), own, json],
      ["3", { name: "s", data: data() }, own, json],
      ["4", join(directory, "x.jsonl"), users, half],
      ["5", { name: "s", data: data() }, users, half],
      ["6", join(directory, "x.jsonl.gz"), { inputStream: [gzipReader, mapLineReader, halves] }, half],
    ];
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith("disco-chunk-")).length;
    for (const [tag, input, options, expected] of cases) {
      await kit.ddfs.chunk(tag, input as string, options);
      assert.deepEqual(recordsIn(await chunks(kit, tag)), expected, tag);
    }
    assert.equal((await readdir(tmpdir())).filter((name) => name.startsWith("disco-chunk-")).length, before);
  });

  it("keeps any records as they are, whatever the size of chunks", async () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(fc.string({ unit: "binary" }), { maxLength: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(value, value), { maxLength: 200 }),
        fc.integer({ min: 1, max: 5_000 }),
        async (records, chunkSize) => {
          const kit = openKit();
          const data = Buffer.concat(records.map(([k, v]) => Buffer.from(encodeBlock([k], [v]))));
          await kit.ddfs.chunk("t", { name: "x", data }, { chunkSize });
          assert.deepEqual(recordsIn(await chunks(kit, "t")), records);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("says which record is too large, and what cannot be read, and tags nothing", async () => {
    const { ddfs } = openKit();
    await assert.rejects(
      ddfs.chunk("t", { name: "x", data: `short\n${"x".repeat(5_000)}` }, { maxRecordSize: 4_000 }),
      {
        code: "record-too-large",
        hint: /maxRecordSize/,
      },
    );
    await assert.rejects(ddfs.chunk("t", join(directory, "none")), { code: "no-such-file" });
    await assert.rejects(ddfs.chunk("t", directory), { code: "bad-input", message: /is a directory/ });
    await assert.rejects(ddfs.chunk("t", { name: "x", data: zlib.gzipSync("x".repeat(9_999)).subarray(0, 20) }), {
      name: "DataError",
    });
    await assert.rejects(ddfs.chunk("t", { name: "x", data: "\0\0" }), { code: "not-text" });
    await assert.rejects(ddfs.chunk("t", []), { code: "bad-option" });
    await assert.rejects(ddfs.chunk("t", "tag://none"), { code: "unknown-tag" });
    await assert.rejects(ddfs.chunk("t", null as unknown as string), { code: "bad-option" });
    await assert.rejects(ddfs.chunk("t", "x", { chunkSize: 0 }), { code: "bad-option" });
    assert.equal(await ddfs.exists("t"), false);
  });

  it("reads several inputs at once, and keeps no more chunks than it says", async () => {
    const { ddfs, nodes } = openKit();
    let puts = 0;
    let most = 0;
    nodes.onChunk = async (_host, received) => {
      if (received !== 0) return;
      most = Math.max(most, ++puts);
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      puts--;
    };
    const inputs = ["a", "b", "c", "d"].map((name) => ({ name, data: linesOf(20_000).join("\n") }));
    await ddfs.chunk("t", inputs, { chunkSize: 1, concurrency: 2 });
    assert.equal(most, 2);
  });

  it("keeps the records of a stream that uses its memory again for what comes next", async () => {
    const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i} of a file`);
    const text = Buffer.from(`${lines.join("\n")}\n`);
    const memory = Buffer.alloc(997);
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield memory.subarray(0, text.copy(memory, 0, 0, 2));
      for (let at = 2; at < text.length; at += memory.length) yield memory.subarray(0, text.copy(memory, 0, at));
    };
    const kit = openKit();
    await kit.ddfs.chunk("t", { name: "reused", data: pieces() });
    assert.deepEqual(
      recordsIn(await chunks(kit, "t")).map(([key]) => key),
      lines,
    );
  });
});
