/** Jobs of built-in functions, as users write them: each position, beside functions of one's own, over inputs of all kinds. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import {
  count,
  distinct,
  field,
  first,
  grep,
  identity,
  type LineMap,
  last,
  lines,
  max,
  sum,
  top,
  words,
} from "disco-mapreduce/fn";
import {
  chainReader,
  gzipReader,
  kvgroup,
  mapLineReader,
  type Results,
  resultIterator,
  sumCombiner,
  sumReduce,
} from "../src/index.ts";
import { deathOf, type Engine, openEngine } from "./faults/engine.test-kit.ts";

let engine: Engine;
let poem = "";
let other = "";

const text = "\ufeffone fish  two fish\r\n\tred fish\r\nblue fish\n\nend without a line feed";
const wordList = text.slice(1).split(/\s+/);

before(async () => {
  // One worker: what takes time here is starting them.
  engine = await openEngine({ workers: 1 });
  poem = await file("poem.txt", text);
  other = await file("other.txt", "fish and chips\n");
});
after(() => engine[Symbol.asyncDispose]());

async function file(name: string, contents: string | Uint8Array): Promise<string> {
  const path = join(engine.scratch, name);
  await writeFile(path, contents);
  return path;
}

async function records<K, V>(results: Results<K, V>): Promise<[K, V][]> {
  return resultIterator(results).toArray();
}

function counted(...lists: string[][]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of lists.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

test("words are counted by sum, by count, with and without a combiner, sorted or not, in any number of partitions", async () => {
  const expected = counted(wordList, ["fish", "and", "chips"]);
  const input = [poem, other];
  for (const options of [
    { combiner: sum, reduce: sum, partitions: 3 },
    { combiner: count, reduce: sum },
    { reduce: count, sort: true, partitions: 2 },
    { combiner: sum, reduce: sum, sort: true },
    { combiner: identity, reduce: sum, partitions: null },
    { combiner: sumCombiner, reduce: sumReduce },
  ]) {
    const job = await engine.disco.newJob("counts", { input, map: words(), ...options });
    const found = await records(await job.wait());
    assert.deepEqual(new Map(found), expected);
    assert.equal(found.length, expected.size);
    const { stages } = await job.jobinfo();
    assert.equal(stages[0]?.recordsIn, 6, "lines");
  }
});

test("a built-in map goes with functions of one's own, and the other way round", async () => {
  const expected = counted(wordList);
  const own = await engine.disco.newJob("own_reduce", {
    input: [poem],
    map: words(),
    combiner: (key, value, buffer) => {
      buffer.set(key, (buffer.get(key) ?? 0) + value);
    },
    *reduce(pairs) {
      for (const [word, ones] of kvgroup(pairs)) yield [word, ones.reduce((a, n) => a + n, 0)] as const;
    },
    sort: true,
  });
  assert.deepEqual(new Map(await records(await own.wait())), expected);
  const lengths = await engine.disco.newJob("own_map", {
    input: [poem],
    map: (line) => [[line.length, line] as const],
    combiner: max,
    reduce: max,
  });
  assert.deepEqual(new Map(await records(await lengths.wait())).get(9), "blue fish");
  // A function of ours inside of one of the user's: it is imported where the task runs.
  const inside = await engine.disco.newJob("inside", {
    input: [poem],
    map: (line) => words()(line),
    *reduce(pairs) {
      for (const [word, n] of sum(pairs)) yield [word, n * 10] as const;
    },
  });
  assert.equal(new Map(await records(await inside.wait())).get("fish"), 40);
});

test("lines, fields and matches are found in plain, compressed and replicated inputs alike", async () => {
  const copy = await file("copy.txt", text);
  const packed = await file("poem.txt.gz", gzipSync(text));
  const ran = async (map: LineMap, input: readonly (string | string[])[], mapInputStream: readonly unknown[] = []) => {
    const chain = mapInputStream.length === 0 ? {} : { mapInputStream };
    const job = await engine.disco.newJob("finds", { input, map, ...chain } as { input: string[]; map: LineMap });
    return (await records(await job.wait())).map(([key]) => key);
  };
  const all = ["one fish  two fish", "\tred fish", "blue fish", "", "end without a line feed"];
  assert.deepEqual(await ran(lines(), [packed], [gzipReader, mapLineReader]), all);
  assert.deepEqual(await ran(lines(), [[poem, copy]]), all);
  assert.deepEqual(await ran(field(1), [poem]), ["fish", "fish", "fish", "without"]);
  assert.deepEqual(await ran(field(1, { separator: "\t" }), [poem]), ["red fish"]);
  assert.deepEqual(await ran(grep(/^\S+ FISH$/i), [poem]), ["blue fish"]);
  assert.deepEqual(await ran(grep("fish  two"), [poem]), ["one fish  two fish"]);
});

test("top gives the greatest sums first, and ties in the order of keys", async () => {
  const job = await engine.disco.newJob("best", { input: [poem, other], map: words(), combiner: sum, reduce: top(4) });
  assert.deepEqual(await records(await job.wait()), [
    ["fish", 5],
    ["a", 1],
    ["and", 1],
    ["blue", 1],
  ]);
});

test("first and last follow the inputs, distinct knows pairs, and identity passes them on to another job", async () => {
  const job = await engine.disco.newJob("marked", {
    input: [poem, other],
    map: (line) => (line.includes("fish") ? [["fish", line] as const, ["fish", "fish"] as const] : []),
  });
  const marked = await job.wait();
  const ran = async (reduce: typeof first) => {
    const next = await engine.disco.newJob("next", {
      input: marked,
      mapReader: chainReader,
      map: identity,
      combiner: reduce,
      reduce,
    });
    return records(await next.wait());
  };
  assert.deepEqual(await ran(first), [["fish", "one fish  two fish"]]);
  assert.deepEqual(await ran(last), [["fish", "fish"]]);
  assert.deepEqual((await ran(distinct)).map(([, line]) => line).sort(), [
    "\tred fish",
    "blue fish",
    "fish",
    "fish and chips",
    "one fish  two fish",
  ]);
});

test("more keys than memory holds are folded exactly, each once", async () => {
  // Table and states of a worker of this limit take 16 MB each: some 150,000 of these keys.
  const keys = 190_000;
  const big = await file(
    "keys.txt",
    Array.from({ length: keys }, (_, i) => `key${(i * 7_919) % keys} again`).join("\n"),
  );
  const job = await engine.disco.newJob("many_keys", {
    input: [big],
    map: words(),
    combiner: sum,
    reduce: sum,
    memoryLimit: 192,
  });
  const found = await records(await job.wait());
  const counts = new Map(found);
  assert.equal(found.length, keys + 1);
  assert.equal(counts.get("again"), keys);
  counts.delete("again");
  assert.ok([...counts.values()].every((n) => n === 1));
  const { stages } = await job.jobinfo();
  assert.equal(stages[0]?.recordsOut, keys + 2, "the word that comes again is written by both fillings of the table");
});

test("a value that cannot be summed ends the job with an error that names key and value", async () => {
  const job = await engine.disco.newJob("bad_sum", {
    input: [poem],
    map: (line): [string, number][] => [["lines", line as unknown as number]],
    combiner: sum,
    retries: 0,
  });
  const { failure } = await deathOf(job);
  assert.match(
    String(failure?.message),
    /sum: the value 'one fish {2}two fish' of the key 'lines' is neither a number/,
  );
});

test("data that is no text is refused as for functions of one's own", async () => {
  const zip = await file("data.gz", gzipSync(text));
  const job = await engine.disco.newJob("no_text", {
    input: [[zip]],
    map: words(),
    retries: 0,
    mapInputStream: [mapLineReader],
  });
  const { failure } = await deathOf(job);
  assert.match(String(failure?.message), /is not text: it is compressed by gzip/);
});
