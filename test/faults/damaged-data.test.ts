/** Data that went bad on a disk, or never was what its name says: found out, named, and made again where that is possible. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { chainReader, type Job, parseDir, resultIterator, task } from "../../src/index.ts";
import { deathOf, type Engine, messagesOf, openEngine } from "./engine.test-kit.ts";

const text = Array.from({ length: 30_000 }, (_, i) => `line ${i} ${i ** 2 % 977}`).join("\n");

let engine: Engine;
before(async () => {
  engine = await openEngine();
});
after(() => engine[Symbol.asyncDispose]());

async function read(name: string, bytes: Uint8Array | string): Promise<{ job: Job<string, number>; file: string }> {
  const file = join(engine.scratch, name);
  await writeFile(file, bytes);
  const job = await engine.disco.newJob("reads", { input: [file], map: (line) => [[line, 1] as const], retries: 1 });
  return { job, file };
}

describe("an input", { timeout: 120_000 }, () => {
  const bad: [string, string, Uint8Array, string, RegExp][] = [
    ["that is UTF-16", "utf16.txt", Buffer.from(`\ufeff${text}`, "utf16le"), "not-text", /UTF-16/],
    ["that is binary", "binary.txt", Buffer.from([1, 0, 2, 0]), "not-text", /NUL/],
    ["that is gzip by another name", "gzip.txt", gzipSync(text), "not-text", /gzip/],
    ["that is text by the name of gzip", "text.gz", Buffer.from(text), "bad-compressed", /byte 0/],
    ["that is text by the name of zstd", "text.zst", Buffer.from(text), "bad-compressed", /byte 0/],
  ];
  for (const [what, name, bytes, code, message] of bad) {
    test(`${what} is refused by its name`, async () => {
      const { job, file } = await read(name, bytes);
      const error = await deathOf(job);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.match(error.message, new RegExp(name.replace(".", "\\.")));
      assert.equal(error.url, file);
      assert.ok(error.hint !== undefined || code !== "not-text");
    });
  }

  for (const [format, compress] of [
    ["gz", gzipSync],
    // As the zstd command does. Without a checksum the format itself cannot tell that a letter changed.
    ["zst", (data: string) => zstdCompressSync(data, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
  ] as const) {
    const whole = compress(text);
    test(`of ${format} that is cut anywhere is refused with the place`, async () => {
      for (const length of [5, whole.length >> 1, whole.length - 1]) {
        const { job, file } = await read(`cut-${length}.${format}`, whole.subarray(0, length));
        const error = await deathOf(job);
        assert.equal(error.code, "bad-compressed", error.message);
        assert.match(error.message, /near compressed byte \d+: it is cut off/);
        assert.equal(error.url, file);
      }
    });

    test(`of ${format} in which a byte changed is refused with the place`, async () => {
      const changed = Buffer.from(whole);
      for (let i = 0; i < 40; i++) changed[5_000 + i] = 0xff;
      const error = await deathOf((await read(`changed.${format}`, changed)).job);
      assert.equal(error.code, "bad-compressed", error.message);
      assert.match(error.message, /near compressed byte \d+ to \d+: it is damaged/);
    });

    test(`of ${format} may be several files in one`, async () => {
      const { job } = await read(`twice.${format}`, Buffer.concat([compress(`${text}\n`), whole]));
      const lines = (await resultIterator(job).toArray()).map(([line]) => line);
      assert.deepEqual(lines, [...text.split("\n"), ...text.split("\n")]);
    });
  }

  test("that is damaged is no failure while another replica is whole", async () => {
    const { file: cut } = await read("cut.gz", gzipSync(text).subarray(0, 60_000));
    const good = join(engine.scratch, "good.gz");
    await writeFile(good, gzipSync(text));
    const job = await engine.disco.newJob("replicas", { input: [[cut, good]], map: (line) => [[line, 1] as const] });
    assert.deepEqual(
      (await resultIterator(job).toArray()).map(([line]) => line),
      text.split("\n"),
    );
  });
});

describe("a result of an earlier job", { timeout: 120_000 }, () => {
  let source: Job<string, string>;
  let index = "";
  let file = "";
  let whole: Buffer;

  before(async () => {
    source = await engine.disco.newJob("source", {
      input: [`raw://${text.slice(0, 60_000)}`],
      map: (line) => [[line, line.slice(5)] as const],
    });
    [index = ""] = await source.wait();
    const [url = ""] = await parseDir(index);
    file = join(engine.root, "data", url.replace("disco://localhost/disco/", ""));
    whole = await readFile(file);
  });

  async function chained(): Promise<Job<string, string>> {
    return engine.disco.newJob("chained", {
      input: await source.wait(),
      mapReader: chainReader,
      map: ([key, value]) => [[key as string, value as string] as const],
      retries: 0,
    });
  }

  const damages: [string, () => void][] = [
    ["is cut in the middle", () => truncateSync(file, whole.length >> 1)],
    ["lost its last byte", () => truncateSync(file, whole.length - 1)],
    ["is empty", () => truncateSync(file, 0)],
    ["has bytes behind its end", () => writeFileSync(file, Buffer.concat([whole, whole]))],
    ["is gone", () => rmSync(file)],
    ["is text", () => writeFileSync(file, text.slice(0, whole.length))],
  ];
  for (const [what, damage] of damages) {
    test(`that ${what} is refused by its name, by jobs and by resultIterator`, async () => {
      damage();
      try {
        const error = await deathOf(await chained());
        assert.match(error.failure?.name ?? "", /DataError/, error.message);
        assert.match(error.message, /source@|\.disco/);
        await assert.rejects(resultIterator(index).toArray(), { name: "DataError" });
      } finally {
        writeFileSync(file, whole);
      }
    });
  }

  test("with any bit flipped is refused, or the same: never other records", async () => {
    const expected = await resultIterator(index).toArray();
    let refused = 0;
    for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 500)) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      writeFileSync(file, changed);
      try {
        assert.deepEqual(await resultIterator(index).toArray(), expected);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "bad-block", String(error));
        refused++;
      }
    }
    writeFileSync(file, whole);
    assert.ok(refused > 0);
  });

  test("is a replica like others when a copy of it is whole", async () => {
    const copy = join(engine.scratch, "copy.disco");
    await copyFile(file, copy);
    truncateSync(file, whole.length >> 1);
    const [url = ""] = await parseDir(index);
    try {
      const job = await engine.disco.newJob("healed", {
        input: [[url, copy]],
        mapReader: chainReader,
        map: ([key, value]) => [[key as string, value as string] as const],
      });
      const records = await resultIterator(job).toArray();
      writeFileSync(file, whole);
      assert.deepEqual(records, await resultIterator(index).toArray());
    } finally {
      writeFileSync(file, whole);
    }
  });
});

/** Damages all segments of this task's job, once, by the way that is named. */
function damageOnce(root: string, way: string): void {
  const mark = join(root, `${task.jobName}.damaged`);
  if (existsSync(mark)) return;
  writeFileSync(mark, "");
  for (const segment of globSync(join(root, "data/localhost/*", task.jobName, ".disco/*.seg"))) {
    const bytes = readFileSync(segment);
    if (way === "cut") truncateSync(segment, bytes.length >> 1);
    if (way === "empty") truncateSync(segment, 0);
    if (way === "delete") rmSync(segment);
    if (way === "flip") {
      for (let at = 0; at < bytes.length; at += 1_000) bytes[at] = (bytes[at] as number) ^ 0x10;
      writeFileSync(segment, bytes);
    }
  }
}

const parts = [0, 1, 2].map((part) => text.split("\n").slice(part * 2_000, (part + 1) * 2_000));

describe("an intermediate output", { timeout: 240_000 }, () => {
  const expected = new Map<string, number>();
  for (const word of parts.flat().flatMap((line) => line.split(" "))) expected.set(word, (expected.get(word) ?? 0) + 1);

  for (const way of ["flip", "cut", "empty", "delete"]) {
    for (const sort of [true, false]) {
      test(`that is damaged (${way}) while ${sort ? "sorted" : "unsorted"} reduces run is made again`, async () => {
        const job = await engine.disco.newJob("segments", {
          input: parts.map((lines) => `raw://${lines.join("\n")}`),
          params: { root: engine.root, way, isDone: false },
          map: (line) => line.split(" ").map((word) => [word, 1] as const),
          *reduce(pairs, params) {
            if (!params.isDone) damageOnce(params.root, params.way);
            params.isDone = true;
            const counts = new Map<string, number>();
            for (const [word, n] of pairs) counts.set(word, (counts.get(word) ?? 0) + n);
            yield* counts;
          },
          partitions: 4,
          sort,
        });
        await job.wait({ timeout: 30 });
        assert.deepEqual(new Map(await resultIterator(job).toArray()), expected);
        const messages = await messagesOf(job);
        assert.ok(
          messages.some((message) => /\[map:\d\] its output on localhost is lost/.test(message)),
          messages.join("\n"),
        );
      });
    }
  }
});
