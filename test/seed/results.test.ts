/** The seed's `results` in both modes, `result_iterator`, and what results are addresses of. */
import assert from "node:assert/strict";
import { copyFile, rm } from "node:fs/promises";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  chainReader,
  type JobRef,
  jobname,
  netstrReader,
  netstrWriter,
  nopReduce,
  type OutputStream,
  parseDir,
  resultIterator,
} from "disco-mapreduce";
import { heard, openBench, rejection, sorted } from "./bench.ts";

const bench = await openBench();
const { disco } = bench;
after(() => bench.close());

const pairs = (line: string): [string, number][] => line.split(" ").map((word) => [word, 1]);
function endless(): [string, number][] {
  console.log("begun");
  for (;;);
}

describe("results of one job", { timeout: 60_000 }, () => {
  it("are an empty list when there are none within timeout milliseconds", async () => {
    const job = await disco.newJob("unfinished", { input: ["raw://x"], map: endless });
    const started = performance.now();
    assert.deepEqual(await job.results({ timeout: 30 }), []);
    assert.deepEqual(await disco.results(job.name, { timeout: 0 }), []);
    assert.ok(performance.now() - started < 1900, "the default of 2000 ms did not count");
    await job.kill();
  });

  it("are the list of addresses when the job is ready, and a JobError when it is dead", async () => {
    const ready = await disco.newJob("ready", { input: ["raw://a b"], map: pairs });
    assert.deepEqual(await ready.results({ timeout: 30_000 }), await ready.wait());
    const dead = await disco.newJob("dead", { input: ["raw://x"], map: endless });
    await dead.kill();
    await assert.rejects(dead.results(), { name: "JobError" });
  });
});

describe("results of many jobs", { timeout: 60_000 }, () => {
  it("are printed as soon as jobs finish, by the loop of the seed", async () => {
    let jobs: JobRef<string, number>[] = [];
    for (const text of ["a a", "b", "c c c", "d"]) {
      jobs.push(await disco.newJob("looped", { input: [`raw://${text}`], map: pairs }));
    }
    const records: string[] = [];
    const names = new Set<string>();
    while (jobs.length > 0) {
      const [ready, active] = await disco.results(jobs);
      jobs = active;
      for (const [name, results] of ready) {
        names.add(name);
        assert.equal(results[0], "ready");
        for await (const [k, v] of resultIterator(results[1])) records.push(`${k}${v}`);
        await disco.purge(name);
      }
    }
    assert.equal(names.size, 4);
    assert.deepEqual(records.sort(), ["a1", "a1", "b1", "c1", "c1", "c1", "d1"]);
  });

  it("tell unknown, dead, active and ready jobs apart, whatever the list is made of", async () => {
    const active = await disco.newJob("active", { input: ["raw://x"], map: endless });
    const dead = await disco.newJob("dead", { input: ["raw://x"], map: endless });
    await dead.kill();
    const ready = await disco.newJob("ready", { input: ["raw://x"], map: pairs });
    const results = await ready.wait();
    const started = performance.now();
    const [finished, stillActive] = await disco.results([
      active,
      dead.name,
      [ready.name, ["active", []]],
      "nobody@1:2:3",
      active.name,
    ]);
    assert.ok(performance.now() - started < 1900, "jobs that have finished are told at once");
    assert.deepEqual(finished, [
      [dead.name, ["dead", []]],
      [ready.name, ["ready", results]],
      ["nobody@1:2:3", ["unknown_job", []]],
    ]);
    assert.deepEqual(stillActive, [[active.name, ["active", []]]]);
    assert.deepEqual(await disco.results([]), [[], []]);
    await active.kill();
  });

  it("wait at most timeout for at least one job to finish", async () => {
    const slow = await disco.newJob("slow", { input: ["raw://x"], map: endless });
    await heard(slow, /begun/);
    assert.deepEqual(await disco.results([slow], { timeout: 20 }), [[], [[slow.name, ["active", []]]]]);
    const quick = await disco.newJob("quick", { input: ["raw://x"], map: pairs });
    const [finished, active] = await disco.results([slow, quick], { timeout: 50_000 });
    assert.deepEqual(
      finished.map(([name]) => name),
      [quick.name],
    );
    assert.deepEqual(
      active.map(([name]) => name),
      [slow.name],
    );
    const waiting = disco.results(active, { timeout: 50_000 });
    await slow.kill();
    assert.deepEqual(await waiting, [[[slow.name, ["dead", []]]], []]);
  });

  it("refuse what is no job", async () => {
    await assert.rejects(disco.results([3 as unknown as string]), { code: "bad-name" });
    await assert.rejects(disco.results(3 as unknown as string), { code: "bad-option" });
    await assert.rejects(disco.results("a@1:2:3", { timeout: -1 }), { code: "bad-option" });
  });
});

describe("resultIterator", { timeout: 60_000 }, () => {
  it("gives the records of all results in order, from addresses, a job, an item, in time or at once", async () => {
    const job = await disco.newJob("records", {
      input: ["raw://c b a", "raw://b"],
      map: pairs,
      reduce: nopReduce,
      sort: true,
    });
    const expected = [
      ["a", 1],
      ["b", 1],
      ["b", 1],
      ["c", 1],
    ];
    const results = await job.wait();
    const [[item]] = await disco.results([job]);
    assert.ok(item !== undefined);
    for (const source of [results, [...results], job, item, results[0] as string]) {
      assert.deepEqual(await resultIterator(source).toArray(), expected);
    }
    assert.deepEqual([...resultIterator(results)], expected);
    const seen: unknown[] = [];
    for await (const record of resultIterator(results)) seen.push(record);
    assert.deepEqual(seen, expected);
  });

  it("calls notifier with each address as it moves to it", async () => {
    const job = await disco.newJob("notified", {
      input: ["raw://0", "raw://1", "raw://2"],
      map: (line) => [[Number(line), line]],
      partition: (key, n) => key % n,
      partitions: 3,
      reduce: nopReduce,
    });
    const log: string[] = [];
    for await (const [key] of resultIterator(await job.wait(), { notifier: (url) => void log.push(url) })) {
      log.push(String(key));
    }
    assert.deepEqual(
      log.filter((_, i) => i % 2 === 1),
      ["0", "1", "2"],
    );
    for (const url of log.filter((_, i) => i % 2 === 0)) assert.equal(jobname(url), job.name);
  });

  it("reads other formats with reader and inputStream, and passes params to them", async () => {
    const job = await disco.newJob("formatted", {
      input: ["raw://b a"],
      map: pairs,
      reduce: nopReduce,
      sort: true,
      reduceOutputStream: [
        (stream): OutputStream => ({ add: (key, value) => netstrWriter(stream, key, value, undefined) }),
      ],
    });
    const results = await job.wait();
    assert.deepEqual(await resultIterator(results, { reader: netstrReader }).toArray(), [
      ["a", "1"],
      ["b", "1"],
    ]);
    const shouted = resultIterator(results, {
      inputStream: [
        netstrReader,
        function* (stream: Iterable<[string, string]>, _size: number, _url: string, params: { mark: string }) {
          for (const [k] of stream) yield k + params.mark;
        },
      ],
      params: { mark: "!" },
    });
    assert.deepEqual(await shouted.toArray(), ["a!", "b!"]);
  });

  it("tries replicas in turn", async () => {
    const job = await disco.newJob("replicas", { input: ["raw://x y"], map: pairs });
    const [file] = await parseDir((await job.wait())[0] as string);
    const path = bench.path(file as string);
    const copy = `${bench.root}/copy`;
    await copyFile(path, copy);
    const reversed = [[`${bench.root}/none`, `file://${copy}`]];
    assert.deepEqual(await sorted(resultIterator(reversed)), ["x 1", "y 1"]);
    await rm(path);
    assert.deepEqual(await sorted(resultIterator([[file as string, copy]])), ["x 1", "y 1"]);
    const error = await rejection(resultIterator([file as string]).toArray());
    assert.equal(error.name, "DataError");
    assert.equal(error["url"], file);
  });

  it("of the results of a job that emits nothing gives nothing", async () => {
    const job = await disco.newJob("nothing", { input: ["raw://x"], map: () => [], reduce: nopReduce });
    assert.deepEqual(await resultIterator(job).toArray(), []);
  });

  it("refuses what are no results, and raises the job's error", async () => {
    await assert.rejects(resultIterator(3 as unknown as string).toArray(), { code: "bad-results" });
    assert.throws(() => resultIterator([], { readers: chainReader } as never), { code: "unknown-option" });
    const job = await disco.newJob("dead", { input: ["raw://x"], map: endless });
    await job.kill();
    await assert.rejects(resultIterator(job).toArray(), { name: "JobError" });
  });
});

describe("addresses of results", { timeout: 60_000 }, () => {
  it("name their job, and list the files behind them, all or those of one partition", async () => {
    const job = await disco.newJob("addressed", {
      input: ["raw://0 1 2 3"],
      map: pairs,
      partition: (key, n) => Number(key) % n,
      partitions: 2,
    });
    const [index, ...others] = await job.wait();
    assert.deepEqual(others, []);
    assert.match(index as string, /^dir:\/\//);
    const files = await parseDir(index as string);
    assert.equal(files.length, 2);
    assert.deepEqual([...files, index as string].map(jobname), [job.name, job.name, job.name]);
    const [odd] = await parseDir(index as string, 1);
    assert.deepEqual(await sorted(resultIterator(odd as string)), ["1 1", "3 1"]);
    assert.throws(() => jobname(fileURLToPath(import.meta.url)), { code: "bad-url" });
  });
});
