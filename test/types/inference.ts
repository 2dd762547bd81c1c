/**
 * Types flow from the reader through map, combiner and reduce to the results, without annotations. This file is checked by
 * `tsc`, never run.
 */
import {
  chainReader,
  csvReader,
  Disco,
  gzipReader,
  type Job,
  JobDict,
  jsonlReader,
  kvgroup,
  makeRangePartition,
  netstrReader,
  nopMap,
  nopReduce,
  Params,
  type ReduceOutput,
  type Results,
  reReader,
  resultIterator,
} from "../../src/index.ts";
import { is } from "./equal.ts";

const disco = new Disco();
declare const typed: Results<string, number>;

/** The example at the top of the documentation. */
export async function wordCount(): Promise<void> {
  const job = await disco.newJob("wordcount", {
    input: ["./books/*.txt", "http://host/more.txt", "tag://data:logs"],
    map: (line) =>
      line
        .toLowerCase()
        .match(/[a-z']+/g)
        ?.map((word) => [word, 1] as const) ?? [],
    *reduce(pairs) {
      for (const [word, counts] of kvgroup(pairs)) yield [word, counts.reduce((a, n) => a + n, 0)] as const;
    },
    sort: true,
    partitions: 4,
  });
  is<Job<string, number>>()(job, true);
  const results = await job.wait();
  is<Results<string, number>>()(results, true);
  for await (const [word, n] of resultIterator(results)) {
    is<string>()(word, true);
    is<number>()(n, true);
  }
  for await (const [word, n] of resultIterator(job)) {
    is<string>()(word, true);
    is<number>()(n, true);
  }
  const [finished, active] = await disco.results([job]);
  is<number>()(finished.length + active.length, true);
  for (const item of finished) {
    is<Results<string, number>>()(item[1][1], true);
    for (const [word] of resultIterator(item)) is<string>()(word, true);
  }
}

export async function mapForms(): Promise<void> {
  const pairs = await disco.newJob("no_const", { input: "a", map: (line) => line.split(" ").map((word) => [word, 1]) });
  is<Job<string, number>>()(pairs, true);

  const generator = await disco.newJob("generator", {
    input: "a",
    *map(line) {
      for (const word of line.split(" ")) yield [word, { word, n: 1 }];
    },
    combiner(key, value, buffer, done) {
      if (done) return;
      is<string>()(key, true);
      buffer.set(key, { word: value.word, n: value.n + (buffer.get(key)?.n ?? 0) });
    },
    partition: (key, n) => key.length % n,
    partitions: 3,
  });
  is<Job<string, { word: string; n: number }>>()(generator, true);

  const promised = await disco.newJob("promised", { input: "a", map: async (line) => [[line, 1n]] });
  is<Job<string, bigint>>()(promised, true);

  const asyncGenerator = await disco.newJob("async_generator", {
    input: "a",
    async *map(line) {
      yield [line.length, line];
    },
    reduce: nopReduce,
  });
  is<Job<number, string>>()(asyncGenerator, true);
}

export async function readers(): Promise<void> {
  const after = await disco.newJob("reader_after", {
    input: "a",
    map: ([k, v]) => [[k, v.length]],
    mapReader: netstrReader,
  });
  is<Job<string, number>>()(after, true);
  const chain = await disco.newJob("chain", {
    input: "a",
    mapInputStream: [gzipReader, netstrReader],
    map: ([k, v]) => [[v, k]],
  });
  is<Job<string, string>>()(chain, true);
  const csv = await disco.newJob("csv", {
    input: "a",
    mapReader: csvReader({ header: true }),
    map: (row) => [[row, 1]],
  });
  is<Job<Record<string, string>, number>>()(csv, true);
  const rows = await disco.newJob("rows", { input: "a", mapReader: csvReader(), map: (row) => [[row, 1]] });
  is<Job<string[], number>>()(rows, true);
  const groups = await disco.newJob("groups", {
    input: "a",
    mapReader: reReader(/(.)/),
    map: ([letter = ""]) => [[letter, 1]],
  });
  is<Job<string, number>>()(groups, true);
  const own = await disco.newJob("own", {
    input: "a",
    *mapReader(stream) {
      let bytes = 0;
      for (const chunk of stream) bytes += chunk.length;
      yield { bytes };
    },
    map: ({ bytes }) => [["bytes", bytes]],
  });
  is<Job<string, number>>()(own, true);
  const json = await disco.newJob("json", { input: "a", mapReader: jsonlReader, map: (entry) => [[String(entry), 1]] });
  is<Job<string, number>>()(json, true);
}

export async function chains(): Promise<void> {
  const swapped = await disco.newJob("swapped", {
    input: typed,
    mapReader: chainReader,
    map: ([word, n]) => [[n, word]],
  });
  is<Job<number, string>>()(swapped, true);
  const passed = await disco.newJob("passed", { input: swapped, mapReader: chainReader, map: nopMap });
  is<Job<number, string>>()(passed, true);
  const reduced = await disco.newJob("reduced", {
    input: typed,
    *reduce(pairs) {
      for (const [word, n] of pairs) yield [word, String(n)];
    },
  });
  is<Job<string, string>>()(reduced, true);
  const annotated = await disco.newJob("annotated", {
    input: ["dir://host/disco/host/00/job@1:2:3/x.results"],
    mapReader: chainReader,
    map: ([word, n]: [string, number]) => [[n, word]],
    partition: makeRangePartition(0, 10),
  });
  is<Job<number, string>>()(annotated, true);
  const read = await disco.newJob("read", {
    input: "a",
    reduceReader: netstrReader,
    *reduce(pairs) {
      for (const [k, v] of pairs) yield [v.length, k];
    },
  });
  is<Job<number, string>>()(read, true);
}

export async function reduceForms(): Promise<void> {
  const map = (line: string): [string, number][] => [[line, 1]];
  const out = await disco.newJob("out", {
    input: "a",
    map,
    reduce(pairs, out, _params) {
      for (const [k, v] of pairs) out.add(v, k);
    },
  });
  // biome-ignore lint/suspicious/noExplicitAny: without an annotation, `out` takes anything.
  is<Job<any, any>>()(out, true);
  const typedOut = await disco.newJob("typed_out", {
    input: "a",
    map,
    reduce(pairs, out: ReduceOutput<number, string>, _params) {
      for (const [k, v] of pairs) out.add(v, k);
    },
  });
  is<Job<number, string>>()(typedOut, true);
  const helpers = await disco.newJob("helpers", {
    input: "a",
    map,
    reduce: (pairs) => pairs.map(([k, v]) => [k.length, v > 3]),
  });
  is<Job<number, boolean>>()(helpers, true);
  const promised = await disco.newJob("promised", {
    input: "a",
    map,
    reduce: async (pairs) => [["n", [...pairs].length]],
  });
  is<Job<string, number>>()(promised, true);
}

export async function params(): Promise<void> {
  const plain = await disco.newJob("plain", {
    input: "a",
    params: { c: 0, f: (x: string) => `${x}!` },
    map: (line, params) => [[params.f(line), ++params.c]],
    *reduce(pairs, params) {
      yield ["c", params.c + [...pairs].length];
    },
  });
  is<Job<string, number>>()(plain, true);
  const bag = await disco.newJob("bag", {
    input: "a",
    params: new Params({ top: 5 }),
    map: (line, { top }) => [[line, top]],
  });
  is<Job<string, number>>()(bag, true);
}

export async function dicts(): Promise<void> {
  const dict = new JobDict({ input: ["a"], map: (line) => [[line, line.length]] });
  const job = await disco.newJob("dict", dict);
  is<Job<string, number>>()(job, true);
  const later = new JobDict({ map: (line) => [[line, 1]] });
  is<JobDict<string, number>>()(later, true);
}

export async function severalJobs(a: Job<string, number>, b: Job<number, string>): Promise<void> {
  const [finished, active] = await disco.results([a, b]);
  await disco.results(active);
  await disco.results([a, "name@1:2:3"]);
  for (const [name, [, results]] of finished) {
    is<string>()(name, true);
    for await (const [key] of resultIterator(results)) is<string | number>()(key, true);
  }
  is<Results<number, string>>()(await disco.results(b), true);
  is<Results<number, string>>()(await disco.wait(b), true);
  await disco.newJob("both", {
    input: [a, b],
    mapReader: chainReader,
    map: ([key]: [string | number, unknown]) => [[key, 1]],
  });
}

export async function untyped(urls: string[]): Promise<void> {
  for await (const [k, v] of resultIterator(urls)) {
    // biome-ignore lint/suspicious/noExplicitAny: addresses say nothing about what lies behind them.
    is<any>()([k, v][0], true);
  }
  for await (const line of resultIterator(urls, { reader: netstrReader })) is<[string, string]>()(line, true);
}
