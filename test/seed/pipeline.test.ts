/** The `pipeline` option with its five groupings; partitions, mergePartitions and sort of the flat options. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import {
  defaultPartition,
  type Grouping,
  kvgroup,
  makeRangePartition,
  nopReduce,
  resultIterator,
  task,
} from "disco-mapreduce";
import { openBench, rejection, sorted } from "./bench.ts";

const bench = await openBench();
const { disco } = bench;
after(() => bench.close());

const digits = (line: string): [number, string][] => line.split("").map((digit) => [Number(digit), line]);
const byKey = (key: number, n: number): number => key % n;

/** What one task has read: the keys of its pairs, in order. */
function* keysOfTask(pairs: Iterable<[number, string]>): Generator<[string, string]> {
  const keys: number[] = [];
  for (const [key] of pairs) keys.push(key);
  yield [task.stage, keys.toSorted((a, b) => a - b).join("")];
}

describe("a pipeline", { timeout: 60_000, concurrency: 2 }, () => {
  const tasks = async (grouping: Grouping): Promise<string[]> => {
    const job = await disco.newJob("grouped", {
      input: ["raw://0123", "raw://2345"],
      pipeline: [
        { name: "digits", map: digits, partition: byKey, partitions: 2 },
        { name: "gather", grouping, reduce: keysOfTask },
      ],
    });
    return (await sorted(resultIterator(job))).map((text) => text.replace("gather ", ""));
  };

  for (const [grouping, expected, what] of [
    ["split", ["02", "13", "24", "35"], "every label of every task on its own"],
    ["group_label", ["0224", "1335"], "one task a label"],
    ["group_node", ["01223345"], "one task a node"],
    ["group_node_label", ["0224", "1335"], "one task for each label on each node"],
    ["group_all", ["01223345"], "one task for everything"],
  ] as const) {
    it(`groups by ${grouping}: ${what}`, async () => {
      assert.deepEqual(await tasks(grouping), expected);
    });
  }

  it("runs many stages, maps after reduces, each with functions of its own", async () => {
    const job = await disco.newJob("long", {
      input: ["raw://b a", "raw://a c"],
      params: { mark: "!" },
      pipeline: [
        {
          map: (line: string, params: { mark: string }) => line.split(" ").map((word) => [word + params.mark, 1]),
          combiner(word: string, n: number, buffer: Map<string, number>, done: boolean) {
            if (!done) buffer.set(word, (buffer.get(word) ?? 0) + n);
          },
          partitions: 2,
        },
        {
          name: "count",
          sort: true,
          *reduce(pairs) {
            for (const [word, ones] of kvgroup(pairs as Iterable<[string, number]>)) {
              yield [word, ones.reduce((a, n) => a + n, 0)];
            }
          },
        },
        { name: "swap", map: ([word, n]: [string, number]) => [[n, word]] },
        { name: "order", grouping: "group_all", sort: true, reduce: nopReduce },
      ],
    });
    const records = await resultIterator(job).toArray();
    assert.deepEqual(records.map(String).sort(), ["1,b!", "1,c!", "2,a!"]);
    assert.deepEqual(records[2], [2, "a!"]);
    assert.deepEqual(
      (await job.jobinfo()).stages.map(({ stage }) => stage),
      ["stage0", "count", "swap", "order"],
    );
  });

  it("can begin with a reduce, and have only one stage", async () => {
    const job = await disco.newJob("reduce_first", {
      input: ["raw://x", "raw://y"],
      pipeline: [
        {
          grouping: "group_all",
          reader: function* (stream: Iterable<Uint8Array>) {
            for (const chunk of stream) yield [Buffer.from(chunk).toString(), 1];
          },
          reduce: (pairs) => [[[...pairs].map(([k]) => k).join("+"), 1]],
        },
      ],
    });
    assert.deepEqual(await resultIterator(job).toArray(), [["x+y", 1]]);
  });
});

describe("partitions", { timeout: 60_000, concurrency: 2 }, () => {
  const input = ["raw://0123456789"];

  it("are one by default, so that one reduce reads everything", async () => {
    const job = await disco.newJob("one", { input, map: digits, reduce: keysOfTask });
    assert.deepEqual(await sorted(resultIterator(job)), ["reduce 0123456789"]);
  });

  it("are chosen by the partition function, which gets key, number and params", async () => {
    const job = await disco.newJob("chosen", {
      input,
      map: digits,
      params: { shift: 1 },
      partition: (key, n, params) => (key + params.shift) % n,
      partitions: 3,
      reduce: (pairs, params) => [[params.shift, `${task.partition}:${[...pairs].map(([k]) => k).join("")}`]],
    });
    assert.deepEqual(await sorted(resultIterator(job)), ["1 0:258", "1 1:0369", "1 2:147"]);
  });

  it("are chosen by the hash of the key by default, or by ranges", async () => {
    const hashed = await disco.newJob("hashed", {
      input,
      map: digits,
      partitions: 4,
      reduce: (pairs, _params) => [...pairs].map(([k]) => [k, task.partition] as const),
    });
    for await (const [key, partition] of resultIterator(hashed)) assert.equal(partition, defaultPartition(key, 4));
    const ranges = await disco.newJob("ranges", {
      input,
      map: digits,
      partition: makeRangePartition(0, 10),
      partitions: 2,
      reduce: keysOfTask,
    });
    assert.deepEqual(await sorted(resultIterator(ranges)), ["reduce 01234", "reduce 56789"]);
  });

  it("out of range fail the task with the key and what was expected", async () => {
    for (const bad of [-1, 2, 0.5, Number.NaN]) {
      const job = await disco.newJob("out_of_range", {
        input: ["raw://7"],
        map: digits,
        params: { bad },
        partition: (_key, _n, params) => params.bad,
        partitions: 2,
        reduce: nopReduce,
      });
      const error = await rejection(job.wait());
      assert.equal(error["code"], "bad-partition");
      assert.match(error.message, new RegExp(`${bad}`));
    }
  });

  it("of null mean that nothing is partitioned", async () => {
    const job = await disco.newJob("whole", { input, map: digits, partitions: null, reduce: keysOfTask });
    assert.deepEqual(await sorted(resultIterator(job)), ["reduce 0123456789"]);
    const mapOnly = await disco.newJob("whole_map", { input, map: digits, partitions: null });
    assert.equal((await resultIterator(mapOnly).toArray()).length, 10);
  });

  it("are joined again by mergePartitions", async () => {
    const job = await disco.newJob("merged", {
      input,
      map: digits,
      partition: byKey,
      partitions: 3,
      mergePartitions: true,
      reduce: keysOfTask,
    });
    assert.deepEqual(await sorted(resultIterator(job)), ["reduce 0123456789"]);
  });

  it("can be more than there are keys: those that nobody chose have no reduce", async () => {
    const job = await disco.newJob("sparse", {
      input: ["raw://5"],
      map: digits,
      partition: byKey,
      partitions: 1000,
      reduce: keysOfTask,
    });
    assert.deepEqual(await sorted(resultIterator(job)), ["reduce 5"]);
  });
});

describe("sort", { timeout: 60_000, concurrency: 2 }, () => {
  it("true gives equal keys one after the other, ascending: numbers as numbers, text by code point", async () => {
    const job = await disco.newJob("sorted", {
      input: ["raw://10", "raw://9", "raw://-1", "raw://é", "raw://z", "raw://Z", "raw://𝒳", "raw://ﬀ"],
      map: (line) => [[/^-?\d+$/.test(line) ? Number(line) : line, 1] as [string | number, number]],
      sort: true,
      reduce: nopReduce,
    });
    const keys = (await resultIterator(job).toArray()).map(([key]) => key);
    assert.deepEqual(keys, [-1, 9, 10, "Z", "z", "é", "ﬀ", "𝒳"]);
  });

  it("true holds within each partition, for a hundred thousand records of many types", async () => {
    const job = await disco.newJob("many", {
      input: ["raw://0", "raw://1"],
      *map(line) {
        for (let i = 0; i < 50_000; i++) {
          const n = (i * 7919 + Number(line)) % 1000;
          yield [i % 3 === 0 ? n : i % 3 === 1 ? `k${n}` : [n, line], i] as [unknown, number];
        }
      },
      sort: true,
      partitions: 3,
      *reduce(pairs) {
        const seen = new Set<string>();
        let n = 0;
        for (const [key, values] of kvgroup(pairs)) {
          const text = JSON.stringify(key);
          if (seen.has(text)) throw new Error(`${text} comes twice`);
          seen.add(text);
          for (const _ of values) n++;
        }
        yield [n, seen.size] as const;
      },
    });
    const counts = await resultIterator(job).toArray();
    assert.equal(
      counts.reduce((a, [n]) => a + n, 0),
      100_000,
    );
    assert.equal(
      counts.reduce((a, [, keys]) => a + keys, 0),
      1000 + 1000 + 2000,
    );
  });

  it('"merge" merges inputs that are sorted already', async () => {
    const side = (text: string) =>
      disco.newJob("side", {
        input: [`raw://${text}`],
        map: digits,
        sort: true,
        reduce: (pairs, _params) => [...pairs].map(([k, v]) => [k, v] as const),
      });
    const jobs = await Promise.all([side("5173"), side("6402")]);
    const merged = await disco.newJob("merge", {
      input: jobs,
      sort: "merge",
      reduce: nopReduce,
      mergePartitions: true,
    });
    assert.deepEqual(
      (await resultIterator(merged).toArray()).map(([key]) => key),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
  });
});
