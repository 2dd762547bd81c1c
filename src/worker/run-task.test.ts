import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fails, withJob } from "./fixtures/job-bench.ts";
import { nopMap, nopReduce } from "./nop.ts";
import { chainReader } from "./streams/chain.ts";
import { netstrReader, netstrWriter } from "./streams/netstr.ts";
import { objectReader, objectWriter } from "./streams/objects.ts";
import type { ByteSink } from "./streams/stream.ts";

type Pairs = Iterable<[string, number]>;
const words = (line: string) => line.split(" ").map((word) => [word, 1] as const);
function* sum(pairs: Pairs) {
  const counts = new Map<string, number>();
  for (const [word, n] of pairs) counts.set(word, (counts.get(word) ?? 0) + n);
  yield* counts;
}

test("a word count over two maps and two partitions has every word once", async () => {
  await withJob(
    {
      stages: [
        { kind: "map", fn: words, partitions: 2 },
        { kind: "reduce", fn: sum },
      ],
    },
    async (bench) => {
      await bench.run({ task: 0, inputs: ["raw://a b a\nc a"] });
      await bench.run({ task: 1, inputs: ["raw://b a\n"] });
      const output = await bench.run({ stage: 1, task: 0, label: 0 });
      await bench.run({ stage: 1, task: 1, label: 1 });
      assert.deepEqual(
        new Map(bench.results(1) as [string, number][]),
        new Map([
          ["a", 4],
          ["b", 2],
          ["c", 1],
        ]),
      );
      assert.equal(output.recordsOut + (bench.outputs[1]?.[1]?.recordsOut ?? 0), 3);
      assert.equal(bench.outputs[0]?.[0]?.recordsIn, 2);
    },
  );
});

test("sort: true gives ascending keys over the outputs of all maps", async () => {
  const letters = (line: string) => [...line].map((letter) => [letter, line] as const);
  const stages = [
    { kind: "map" as const, fn: letters },
    { kind: "reduce" as const, fn: nopReduce, sort: true },
  ];
  await withJob({ stages }, async (bench) => {
    await bench.run({ task: 0, inputs: ["raw://hello"] });
    await bench.run({ task: 1, inputs: ["raw://world"] });
    await bench.run({ stage: 1, label: 0 });
    assert.equal(
      bench
        .results(1)
        .map(([key]) => key)
        .join(""),
      "dehllloorw",
    );
  });
});

for (const [name, fn] of Object.entries({
  "an array": words,
  *"a generator"(line: string) {
    yield* words(line);
  },
  "an async function": async (line: string) => words(line),
  async *"an async generator"(line: string) {
    yield* words(line);
  },
  "a function that is async now and then": (line: string) =>
    line.startsWith("b") ? Promise.resolve(words(line)) : words(line),
})) {
  test(`a map that is ${name} emits in the order of its input`, async () => {
    await withJob({ stages: [{ kind: "map", fn }] }, async (bench) => {
      await bench.run({ inputs: ["raw://a b\nb c\nd", "raw://e"] });
      assert.equal(
        bench
          .results(0)
          .map(([key]) => key)
          .join(""),
        "abbcde",
      );
    });
  });
}

test("async maps run at once, up to concurrency, and never more", async () => {
  let running = 0;
  let most = 0;
  const fn = async (line: string) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return [[line, 1]];
  };
  await withJob({ stages: [{ kind: "map", fn, concurrency: 4 }] }, async (bench) => {
    await bench.run({ inputs: [`raw://${"x\n".repeat(50)}`] });
    assert.equal(most, 4);
    assert.equal(bench.results(0).length, 50);
  });
});

for (const [name, fn] of Object.entries({
  "out.add and three parameters"(pairs: Pairs, out: { add(k: unknown, v: unknown): void }, _params: unknown) {
    for (const [k, v] of sum(pairs)) out.add(k, v);
  },
  "out.add and two parameters"(pairs: Pairs, out: { add(k: unknown, v: unknown): void }) {
    for (const [k, v] of sum(pairs)) out.add(k, v);
  },
  "add under another name"(pairs: Pairs, target: { add(k: unknown, v: unknown): void }) {
    for (const [k, v] of sum(pairs)) target.add(k, v);
  },
  async "an async function with out"(pairs: Pairs, out: { add(k: unknown, v: unknown): void }) {
    await null;
    for (const [k, v] of sum(pairs)) out.add(k, v);
  },
  "a returned Map": (pairs: Pairs) => new Map(sum(pairs)),
  "a generator with params": function* (pairs: Pairs, params: { add: number }) {
    for (const [k, v] of sum(pairs)) yield [k, v + params.add];
  },
  async *"an async generator"(pairs: Pairs) {
    yield* sum(pairs);
  },
  "a promise of an array": async (pairs: Pairs) => [...sum(pairs)],
})) {
  test(`a reduce may output by ${name}`, async () => {
    const stages = [
      { kind: "map" as const, fn: words },
      { kind: "reduce" as const, fn },
    ];
    await withJob({ stages, params: { add: 0 } }, async (bench) => {
      await bench.run({ inputs: ["raw://a b a"] });
      await bench.run({ stage: 1, label: 0 });
      assert.deepEqual(bench.results(1), [
        ["a", 2],
        ["b", 1],
      ]);
    });
  });
}

test("a combiner gets one buffer a partition and what is left in it is emitted", async () => {
  const buffers = new Set<unknown>();
  const combiner = (word: string, n: number, buffer: Map<string, number>, done: boolean) => {
    buffers.add(buffer);
    if (!done) buffer.set(word, (buffer.get(word) ?? 0) + n);
  };
  const partition = (word: string) => word.charCodeAt(0) % 2;
  const stages = [
    { kind: "map" as const, fn: words, combiner, partition, partitions: 2 },
    { kind: "reduce" as const, fn: nopReduce },
  ];
  await withJob({ stages }, async (bench) => {
    const output = await bench.run({ inputs: ["raw://a b a b c"] });
    assert.deepEqual(
      output.labels.map(({ label, records }) => [label, records]),
      [
        [0, 1],
        [1, 2],
      ],
    );
    assert.equal(buffers.size, 2);
    await bench.run({ stage: 1, task: 0, label: 0 });
    await bench.run({ stage: 1, task: 1, label: 1 });
    assert.deepEqual(bench.results(1), [
      ["b", 2],
      ["a", 2],
      ["c", 1],
    ]);
  });
});

test("a combiner that ignores done, or returns its buffer, or yields at the end, does what it means", async () => {
  type Buffer = Map<string, number>;
  const combiners = [
    (word: string, n: number, buffer: Buffer) => buffer.set(word, (buffer.get(word) ?? 0) + n),
    (word: string, n: number, buffer: Buffer, done: boolean) => done || buffer.set(word, (buffer.get(word) ?? 0) + n),
    (word: string, n: number, buffer: Buffer, done: boolean) => {
      if (done) return buffer.entries();
      buffer.set(word, (buffer.get(word) ?? 0) + n);
      return undefined;
    },
    function* (word: string, n: number, buffer: Buffer, done: boolean) {
      if (done) yield* buffer;
      else buffer.set(word, (buffer.get(word) ?? 0) + n);
    },
  ];
  for (const combiner of combiners) {
    await withJob({ stages: [{ kind: "map", fn: words, combiner }] }, async (bench) => {
      await bench.run({ inputs: ["raw://a b a b c"] });
      assert.deepEqual(bench.results(0), [
        ["a", 2],
        ["b", 2],
        ["c", 1],
      ]);
    });
  }
});

test("a combiner's buffers are emptied at their budget and the sums stay right", async () => {
  const combiner = (word: string, n: number, buffer: Map<string, number>) => {
    buffer.set(word, (buffer.get(word) ?? 0) + n);
  };
  const lines = Array.from({ length: 20_000 }, (_, i) => `${i % 7_000}-${"x".repeat(20)}`).join("\n");
  const stages = [
    { kind: "map" as const, fn: words, combiner },
    { kind: "reduce" as const, fn: sum },
  ];
  await withJob({ stages, memoryLimitBytes: 4 * 1024 * 1024 }, async (bench) => {
    const output = await bench.run({ inputs: [`raw://${lines}`] });
    assert.ok(output.recordsOut > 7_000, "it was emptied at least once in between");
    await bench.run({ stage: 1, label: 0 });
    const results = bench.results(1) as [string, number][];
    assert.equal(results.length, 7_000);
    assert.equal(
      results.reduce((total, [, n]) => total + n, 0),
      20_000,
    );
  });
});

test("init reads ahead of the map, and init of reduce sees the pairs", async () => {
  const init = (lines: Iterator<string>, params: { header?: string }) => {
    params.header = lines.next().value as string;
  };
  const fn = (line: string, params: { header: string }) => [[params.header, line]];
  await withJob(
    {
      stages: [
        { kind: "map", fn, init },
        { kind: "reduce", fn: nopReduce, init: (pairs: Iterator<unknown>) => pairs.next() },
      ],
    },
    async (bench) => {
      await bench.run({ inputs: ["raw://head\n1\n2"] });
      await bench.run({ stage: 1, label: 0 });
      assert.deepEqual(bench.results(1), [["head", "2"]]);
    },
  );
});

test("each task has its own copy of params", async () => {
  const fn = (line: string, params: { seen: string[] }) => {
    params.seen.push(line);
    return [[line, params.seen.length]];
  };
  await withJob({ stages: [{ kind: "map", fn }], params: { seen: [] } }, async (bench) => {
    await bench.run({ task: 0, inputs: ["raw://a\nb"] });
    await bench.run({ task: 1, inputs: ["raw://c"] });
    assert.deepEqual(bench.results(0), [
      ["a", 1],
      ["b", 2],
      ["c", 1],
    ]);
  });
});

test("a map's output in a user's format is read back by the reduce's reader", async () => {
  const stages = (write: object, read: object) => [
    { kind: "map" as const, fn: words, partitions: 2, ...write },
    { kind: "reduce" as const, fn: sum, ...read },
  ];
  const upper = (stream: ByteSink) => ({
    add: (key: string, value: number) => stream.write(`${key.toUpperCase()}\t${value}\n`),
    write: (chunk: string) => stream.write(chunk),
  });
  const tabs = function* (stream: Iterable<Uint8Array>) {
    const text = Buffer.concat([...stream]).toString();
    for (const line of text.split("\n").slice(0, -1)) {
      const [key, value] = line.split("\t");
      yield [key, Number(value)];
    }
  };
  const numbers = function* (pairs: Iterable<[string, string]>) {
    for (const [key, value] of pairs) yield [key, Number(value)];
  };
  const variants: [object, object, string][] = [
    [{ writer: netstrWriter }, { inputStream: [netstrReader, numbers] }, "a"],
    [{ writer: objectWriter }, { inputStream: [objectReader] }, "a"],
    [{ outputStream: [upper] }, { inputStream: [tabs] }, "A"],
  ];
  for (const [write, read, key] of variants) {
    await withJob({ stages: stages(write, read) }, async (bench) => {
      const output = await bench.run({ task: 0, inputs: ["raw://a b a"] });
      assert.equal(output.recordsOut, 3);
      await bench.run({ task: 1, inputs: ["raw://c a"] });
      await bench.run({ stage: 1, task: 0, label: 0 });
      await bench.run({ stage: 1, task: 1, label: 1 });
      assert.equal(new Map(bench.results(1) as [string, number][]).get(key), 3);
    });
  }
});

test("results in a user's format are plain files, and a chain of output streams ends in close", async () => {
  const lines = (stream: ByteSink, partition: number) => ({
    add: (key: string, value: number) => stream.write(`${key}=${value}\n`),
    write: (chunk: string) => stream.write(chunk),
    close: () => stream.write(`end of ${partition}\n`),
  });
  const loud = (stream: { add(k: string, v: number): void }) => ({
    add: (key: string, value: number) => stream.add(`${key}!`, value),
  });
  await withJob({ stages: [{ kind: "map", fn: words, outputStream: [lines, loud] }] }, async (bench) => {
    const output = await bench.run({ inputs: ["raw://a b"] });
    const [file] = bench.files(0);
    assert.match(file ?? "", /^disco:\/\/localhost\/disco\/localhost\/00\/test@1:2:3\/map-0-0\.0\.out$/);
    assert.equal(
      await readFile(join(bench.dataDir, (file ?? "").replace("disco://localhost/disco/", "")), "utf8"),
      "a!=1\nb!=1\nend of 0\n",
    );
    assert.equal(output.recordsOut, 2);
  });
});

test("a reduce-only job reads results of an earlier one, sorted or merged", async () => {
  for (const sort of [true, false, "merge"] as const) {
    await withJob({ stages: [{ kind: "map", fn: nopMap, inputStream: [sortedPairs] }] }, async (first) => {
      await first.run({ task: 0, inputs: ["raw://acegi"] });
      await first.run({ task: 1, inputs: ["raw://bdfh"] });
      const paths = first.files(0).map((url) => join(first.dataDir, url.replace("disco://localhost/disco/", "")));
      await withJob(
        { stages: [{ kind: "reduce", fn: nopReduce, inputStream: [chainReader], sort }] },
        async (second) => {
          const output = await second.run({ inputs: paths });
          const keys = second
            .results(0)
            .map(([key]) => key)
            .join("");
          assert.equal(keys, sort === false ? "acegibdfh" : "abcdefghi");
          assert.equal(output.recordsIn, 9);
        },
      );
    });
  }
});

function* sortedPairs(stream: Iterable<Uint8Array>) {
  for (const letter of Buffer.concat([...stream]).toString()) yield [letter, 1];
}

test("a bad replica is no failure while another works, also in the middle", async () => {
  await withJob(
    { stages: [{ kind: "map", fn: (pair: unknown) => [[pair, 1]], inputStream: [netstrReader] }] },
    async (bench) => {
      const good = join(bench.dataDir, "good");
      const bad = join(bench.dataDir, "bad");
      await writeFile(good, "1 a 1 b\n1 c 1 d\n1 e 1 f\n");
      await writeFile(bad, "1 a 1 b\n1 c 1 d\n9 e");
      await bench.run({ inputs: [[join(bench.dataDir, "missing"), bad, good]] });
      assert.deepEqual(
        bench.results(0).map(([key]) => key),
        [
          ["a", "b"],
          ["c", "d"],
          ["e", "f"],
        ],
      );
      await assert.rejects(
        bench.run({ inputs: [[join(bench.dataDir, "missing"), bad]], attempt: 1 }),
        fails("no-replica", /missing[^]*cut off/),
      );
    },
  );
});
