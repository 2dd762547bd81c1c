/** The seed's DDFS in jobs: tags as inputs, results that are saved in a tag, jobs chained over them, out-of-band values. */
import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { chainReader, Disco, type JobError, resultIterator, task } from "disco-mapreduce";
import { openBench, sorted } from "./bench.ts";

const bench = await openBench();
const { disco } = bench;
const { ddfs } = disco;
after(() => bench.close());

const words = (line: string): [string, number][] => line.split(" ").map((word) => [word, 1]);
function* sum(pairs: Iterable<readonly [string, number]>): Generator<[string, number]> {
  const sums = new Map<string, number>();
  for (const [word, n] of pairs) sums.set(word, (sums.get(word) ?? 0) + n);
  yield* sums;
}

describe("a tag as input", { timeout: 60_000 }, () => {
  it("is its blobs, those of the tags that it links to, and none twice", async () => {
    await ddfs.push("in:a", [{ name: "one", data: "x y x\n" }]);
    await ddfs.push("in:b", [{ name: "two", data: "z\n" }]);
    await ddfs.tag("in:a", [["tag://in:b"], ["tag://in:a"]]);
    await ddfs.tag("in:b", [["tag://in:a"]]);
    const job = await disco.newJob("tags", { input: ["tag://in:a", "raw://x"], map: words, reduce: sum });
    assert.deepEqual(await sorted(resultIterator(job)), ["x 3", "y 1", "z 1"]);
    assert.equal((await disco.jobinfo(job)).inputs.length, 3);
  });

  it("may have gzip and zstd among plain text: blobs show what they are", async () => {
    const text = "plain text\n";
    await ddfs.push("in:packed", [
      { name: "plain", data: text },
      { name: "packed_gz", data: gzipSync(text) },
      { name: "packed_zst", data: zstdCompressSync(text) },
    ]);
    const job = await disco.newJob("packed", { input: "tag://in:packed", map: words, reduce: sum });
    assert.deepEqual(await sorted(resultIterator(job)), ["plain 3", "text 3"]);
  });

  it("is read as the records that it was chunked from", async () => {
    const path = await bench.file("lines.txt", Array.from({ length: 1_000 }, (_, i) => `line ${i % 7}\n`).join(""));
    await ddfs.chunk("in:chunked", [path], { chunkSize: 1_024 });
    const job = await disco.newJob("chunked", {
      input: "tag://in:chunked",
      mapReader: chainReader,
      map: ([line]: [string, null]) => words(line),
      reduce: sum,
    });
    assert.equal(new Map(await resultIterator(job).toArray()).get("line"), 1_000);
  });

  it("that is missing, or links to one that is, is named before anything starts", async () => {
    await ddfs.tag("in:broken", [["tag://in:gone"]]);
    for (const [input, missing] of [
      ["tag://in:gone", /^input: there is no tag in:gone/],
      [["raw://a", "tag://in:broken"], /^input\[1\]: there is no tag in:gone/],
    ] as const) {
      await assert.rejects(disco.newJob("missing", { input: input as string, map: words }), {
        name: "JobError",
        code: "unknown-tag",
        message: missing,
      });
    }
  });

  it("whose blob is damaged fails the job by name, where there is no other replica; nothing wrong is read", async () => {
    await ddfs.push("in:damaged", [{ name: "blob", data: "good words\n" }]);
    const [[url = ""] = []] = (await ddfs.get("in:damaged")).urls;
    const file = url.replace(/^disco:\/\/[^/]+/, join(bench.root, "engine", "data"));
    const { chmod, readFile, writeFile } = await import("node:fs/promises");
    await chmod(file, 0o600);
    const bytes = await readFile(file);
    bytes[0] = (bytes[0] as number) ^ 1;
    await writeFile(file, bytes);
    const job = await disco.newJob("damaged", { input: "tag://in:damaged", map: words, retries: 0 });
    await assert.rejects(job.wait(), (error: JobError) => {
      assert.match(String(error.failure?.code), /^(?:blob-damaged|no-such-file)$/);
      return true;
    });
    // The node was told, and looked for itself.
    const directory = join(file, "..");
    while ((await readdir(directory)).every((name) => !name.includes(".damaged-"))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
});

describe("saved results", { timeout: 60_000 }, () => {
  const options = { input: ["raw://b a b", "raw://a c"], map: words, reduce: sum, partitions: 3, save: true };

  it("are a tag, whose blobs are the results in their order, and outlive the job's files", async () => {
    const plain = await disco.newJob("plain", { ...options, save: false });
    const saved = await disco.newJob("saved", options);
    const results = await saved.wait();
    assert.equal(results.length, 1);
    assert.ok(results[0]?.endsWith(`disco:results:${saved.name}`), results[0]);
    const expected = await resultIterator(await plain.wait()).toArray();
    assert.deepEqual(await resultIterator(results).toArray(), expected);
    assert.deepEqual(await saved.results(), results);
    assert.deepEqual(await resultIterator(saved).toArray(), expected);
    await saved.purge();
    assert.deepEqual(await resultIterator(results).toArray(), expected);
    assert.equal(await ddfs.exists(`disco:results:${saved.name}`), true);
    assert.throws(() => [...resultIterator(results)], { code: "bad-results", hint: /for await/ });
  });

  it("are the input of the next job, by chainReader, also of a job that only reduces", async () => {
    const first = await disco.newJob("first", options);
    const second = await disco.newJob("second", {
      input: await first.wait(),
      mapReader: chainReader,
      map: ([word, n]: [string, number]): [string, number][] => [[word.toUpperCase(), n * 10]],
      reduce: sum,
      save: true,
    });
    assert.deepEqual(await sorted(resultIterator(second)), ["A 20", "B 20", "C 10"]);
    const third = await disco.newJob("third", { input: second, reduce: sum });
    assert.deepEqual(await sorted(resultIterator(third)), ["A 20", "B 20", "C 10"]);
  });

  it("may be none at all", async () => {
    const job = await disco.newJob("none", { ...options, map: () => [] });
    const results = await job.wait();
    assert.equal(results.length, 1);
    assert.deepEqual(await resultIterator(results).toArray(), []);
  });
});

describe("out-of-band values", { timeout: 60_000 }, () => {
  it("are blobs of a tag that goes with the job, and are there when the task's files are not", async () => {
    const job = await disco.newJob("oob", {
      input: ["raw://a", "raw://b"],
      map: (line: string) => {
        task.put(`key:${line}`, line.toUpperCase());
        return [];
      },
    });
    await job.wait();
    const name = `disco:job:oob:${job.name}`;
    assert.deepEqual((await ddfs.list("disco:job:oob:")).filter((tag) => tag.endsWith(name)).length, 1);
    const { urls } = await ddfs.get(name);
    assert.deepEqual(
      urls.map(([url = ""]) => /([^/$]+)\$[^/]+$/.exec(url)?.[1]),
      ["key:a", "key:b"],
    );
    const home = join(bench.root, "engine", "data", "localhost");
    for (const hash of (await readdir(home)).filter((entry) => /^[0-9a-f]{2}$/.test(entry)))
      await rm(join(home, hash, job.name, ".disco"), { recursive: true, force: true });
    assert.deepEqual(await job.oobList(), ["key:a", "key:b"]);
    assert.equal(Buffer.from(await job.oobGet("key:b")).toString(), "B");
    await job.purge();
    assert.equal(await ddfs.exists(name), false);
    await assert.rejects(job.oobGet("key:b"), { code: "unknown-job" });
  });

  it("stay in files in the second engine on a root, which has no DDFS, and refuses to save results", async () => {
    const root = join(bench.root, "shared");
    await using first = new Disco(undefined, { root, workers: 1 });
    await first.ddfs.push("t", [{ name: "b", data: "x" }]);
    await using second = new Disco(undefined, { root, workers: 1 });
    const put = (line: string): [string, number][] => {
      task.put("key", line);
      return [[line, 1]];
    };
    const job = await second.newJob("second", { input: ["raw://value"], map: put });
    await job.wait();
    assert.equal(Buffer.from(await job.oobGet("key")).toString(), "value");
    await assert.rejects(second.newJob("saved", { input: ["raw://a"], map: words, save: true }), { code: "root-busy" });
    const saved = await first.newJob("saved", { input: ["raw://a"], map: words, save: true });
    assert.deepEqual(await sorted(resultIterator(await saved.wait())), ["a 1"]);
    await job.purge();
  });
});
