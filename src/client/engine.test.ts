/** Jobs through the public interface on a real engine: what one part promises and another does. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { JobError } from "../errors.ts";
import { chainReader, Disco, jobname, kvgroup, nopReduce, resultIterator, task } from "../index.ts";

const text = "the quick brown fox\njumps over the lazy dog\nthe end\n";

function countWords(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of text.split(/\s+/)) if (word !== "") counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

describe("a job on the embedded engine", { timeout: 120_000 }, () => {
  let root: string;
  let file: string;
  let disco: Disco;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "disco-engine-"));
    file = join(root, "words.txt");
    await writeFile(file, text);
    await writeFile(`${file}.gz`, gzipSync(text));
    disco = new Disco(undefined, { root, workers: 2 });
  });

  after(async () => {
    await disco.close();
    await rm(root, { recursive: true, force: true });
  });

  it("counts words, and can be purged by the address of a result", async () => {
    const job = await disco.newJob("words", {
      input: [file, "raw://the raw end"],
      map: (line) => line.split(" ").map((word) => [word, 1]),
      combiner(word, n, buffer, done) {
        if (!done) buffer.set(word, (buffer.get(word) ?? 0) + n);
      },
      *reduce(pairs) {
        for (const [word, counts] of kvgroup(pairs)) yield [word, counts.reduce((a, n) => a + n, 0)];
      },
      sort: true,
      partitions: 3,
    });
    const results = await job.wait();
    const expected = countWords();
    for (const word of ["the", "raw", "end"]) expected.set(word, (expected.get(word) ?? 0) + 1);
    assert.deepEqual(new Map(await resultIterator(results).toArray()), expected);
    assert.deepEqual(new Map(resultIterator(results)), expected);
    assert.deepEqual(await job.results(), results);
    const { status, stages } = await job.jobinfo();
    assert.equal(status, "ready");
    assert.deepEqual(
      stages.map(({ stage, tasks, done }) => [stage, tasks, done]),
      [
        ["map", 2, 2],
        ["reduce", 3, 3],
      ],
    );
    const messages: string[] = [];
    for await (const [, { message }] of job.events()) messages.push(message);
    assert.match(messages.at(-1) as string, /READY/);
    await disco.purge(jobname(results[0] as string));
    await assert.rejects(resultIterator(results).toArray(), { code: "no-such-file" });
    await assert.rejects(job.wait(), { code: "unknown-job" });
  });

  it("reads compressed text and the results of jobs before it", async () => {
    const swap = await disco.newJob("swap", {
      input: `${file}.gz`,
      map: (line) => line.split(" ").map((word) => [word.length, word]),
    });
    const chained = await disco.newJob("chained", {
      input: swap,
      mapReader: chainReader,
      map: ([length, word]) => [[word.slice(0, 1), length]],
      partitions: 2,
    });
    const reduced = await disco.newJob("reduced", {
      input: await chained.wait(),
      *reduce(pairs) {
        for (const [letter, lengths] of kvgroup(pairs)) yield [letter, lengths.reduce((a, n) => a + n, 0)];
      },
      sort: true,
    });
    const expected = new Map<string, number>();
    for (const [word, n] of countWords())
      expected.set(word.charAt(0), (expected.get(word.charAt(0)) ?? 0) + n * word.length);
    assert.deepEqual(new Map(await resultIterator(reduced).toArray()), expected);
  });

  it("passes params with functions, files and out-of-band values", async () => {
    const job = await disco.newJob("params", {
      input: ["raw://a", "raw://b"],
      params: { count: 0, mark: (s: string) => `${s}!` },
      map(entry, params) {
        params.count++;
        task.put(`seen-${entry}`, String(params.count));
        return [[params.mark(entry), params.count]];
      },
      reduce(pairs, out, _params) {
        for (const [k, v] of pairs) out.add(v, k);
      },
      requiredFiles: { "note.txt": "hello" },
    });
    assert.deepEqual(new Set((await resultIterator(job).toArray()).map(String)), new Set(["1,a!", "1,b!"]));
    assert.deepEqual((await job.oobList()).sort(), ["seen-a", "seen-b"]);
    assert.equal(Buffer.from(await job.oobGet("seen-a")).toString(), "1");
    await assert.rejects(job.oobGet("nothing"), { name: "DiscoError" });
    assert.deepEqual((await job.jobdict()).input, ["raw://a", "raw://b"]);
  });

  it("splits a big file so that each line is read once", async () => {
    const big = join(root, "big.txt");
    const lines = Array.from({ length: 150_000 }, (_, i) => `line ${i} ${"x".repeat(i % 40)}`);
    await writeFile(big, `${lines.join("\n")}\n`);
    const job = await disco.newJob("split", {
      input: [big],
      splitBytes: 1024 * 1024,
      map: (line) => [[line.split(" ")[1], 1]],
      *reduce(pairs) {
        let n = 0;
        const seen = new Set<unknown>();
        for (const [k] of pairs) {
          n++;
          seen.add(k);
        }
        yield [n, seen.size];
      },
    });
    assert.deepEqual(await resultIterator(job).toArray(), [[150_000, 150_000]]);
    assert.ok((await job.jobinfo()).inputs.length >= 4);
  });

  it("that fails says where in the user's source", async () => {
    const job = await disco.newJob("fails", {
      input: ["raw://a"],
      map: (line) => (line as unknown as { nothing: { at: [string, number][] } }).nothing.at,
      reduce: nopReduce,
    });
    const error = await job.wait().then(
      () => null,
      (error: unknown) => error,
    );
    assert.ok(error instanceof JobError);
    assert.equal(error.failure?.name, "TypeError");
    assert.match(error.failure?.location?.file ?? "", /engine\.test\.ts$/);
    assert.match(error.message, /nothing\.at/);
    assert.match(error.message, /engine\.test\.ts:\d+:\d+/);
    await assert.rejects(job.results(), JobError);
  });

  it("can be killed in an endless loop", async () => {
    const job = await disco.newJob("endless", {
      input: ["raw://a"],
      map: (): [string, number][] => {
        for (;;);
      },
    });
    assert.deepEqual(await job.results({ timeout: 50 }), []);
    await job.kill();
    await assert.rejects(job.wait({ timeout: 20 }), { name: "JobError", message: /kill/i });
  });

  it("is told by results in both modes, and runs as a pipeline of its own", async () => {
    const jobs = await Promise.all(
      ["one", "two"].map((name) =>
        disco.newJob(name, {
          input: [`raw://${name}`],
          pipeline: [
            { map: (line: string) => [[line, line.length]], partitions: 2 },
            { name: "sum", grouping: "group_all", reduce: (pairs) => pairs.map(([k, v]) => [k, v + 1]) },
          ],
        }),
      ),
    );
    const records: unknown[] = [];
    let [finished, active] = await disco.results(jobs, { timeout: 20_000 });
    for (;;) {
      for (const [name, [status, results]] of finished) {
        assert.equal(status, "ready");
        records.push(...(await resultIterator(results).toArray()));
        await disco.purge(name);
      }
      if (active.length === 0) break;
      [finished, active] = await disco.results(active, { timeout: 20_000 });
    }
    assert.deepEqual(new Set(records.map(String)), new Set(["one,4", "two,4"]));
  });
});
