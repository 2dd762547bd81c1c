/**
 * Every example, run by the command line as README says, against a computation of its own that knows nothing of map and
 * reduce.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { DDFS } from "../src/index.ts";
import { noPython } from "./external/programs.test-kit.ts";
import { runDisco } from "./run-disco.ts";

const examples = join(import.meta.dirname, "..", "examples");
const texts = globSync(join(examples, "data", "*.txt")).sort();
let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "disco-examples-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Runs an example and returns its records. */
async function recordsOf<K, V>(example: string, ...args: string[]): Promise<[K, V][]> {
  const file = join(folder, `${example}.jsonl`);
  const done = await runDisco(["run", join(examples, `${example}.ts`), "--output", file, ...args], { root: folder });
  assert.equal(done.code, 0, done.stderr);
  const lines = (await readFile(file, "utf8")).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as [K, V]);
}

function wordsOf(file: string): string[] {
  return (
    readFileSync(file, "utf8")
      .toLowerCase()
      .match(/[a-z']+/g) ?? []
  );
}

test("word-count counts words", async () => {
  const expected = new Map<string, number>();
  for (const word of texts.flatMap(wordsOf)) expected.set(word, (expected.get(word) ?? 0) + 1);
  const records = await recordsOf<string, number>("word-count");
  assert.equal(records.length, expected.size);
  assert.deepEqual(new Map(records), expected);
});

test("word-count counts the words of files given on the command line", async () => {
  const [first = ""] = texts;
  const records = await recordsOf<string, number>("word-count", first);
  assert.equal(
    records.reduce((sum, [, n]) => sum + n, 0),
    wordsOf(first).length,
  );
});

test("built-ins gives the ten most frequent words, the most frequent one first", async () => {
  const expected = new Map<string, number>();
  for (const word of texts.flatMap((file) => readFileSync(file, "utf8").split(/[ \t-\r]+/))) {
    if (word !== "") expected.set(word, (expected.get(word) ?? 0) + 1);
  }
  const ranked = [...expected].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  assert.deepEqual(await recordsOf("built-ins"), ranked.slice(0, 10));
});

test("external counts words by a program in Python", { skip: noPython }, async () => {
  const expected = new Map<string, string>();
  for (const word of texts.flatMap(
    (file) =>
      readFileSync(file, "utf8")
        .toLowerCase()
        .match(/[a-z]{2,}/g) ?? [],
  ))
    expected.set(word, `${Number(expected.get(word) ?? 0) + 1}`);
  assert.deepEqual(new Map(await recordsOf<string, string>("external")), expected);
});

test("grep finds lines, and its pattern is a parameter", async () => {
  const expected = texts.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => /tyger|thee/i.test(line))
      .map((line) => [basename(file), line]),
  );
  assert.deepEqual(await recordsOf("grep", "--params", "pattern=tyger|thee"), expected);
});

test("sort gives all numbers, ascending over all partitions", async () => {
  const records = await recordsOf<number, number>("sort");
  assert.equal(records.length, 20_000);
  const keys = records.map(([key]) => key);
  assert.deepEqual(
    keys,
    keys.toSorted((a, b) => a - b),
  );
  assert.ok(new Set(keys).size > 19_000);
});

test("inverted-index names the files of each word", async () => {
  const expected = new Map<string, string[]>();
  for (const file of texts) {
    for (const word of new Set(wordsOf(file)))
      expected.set(word, [...(expected.get(word) ?? []), basename(file)].sort());
  }
  const records = await recordsOf<string, string[]>("inverted-index");
  assert.deepEqual(new Map(records), expected);
  assert.deepEqual(
    records.map(([word]) => word),
    [...expected.keys()].sort(),
  );
});

test("join brings together customers and their orders", async () => {
  const records = new Map(await recordsOf<string, string[]>("join"));
  assert.deepEqual(
    records,
    new Map([
      ["Ada", ["brass gears", "punched cards"]],
      ["Grace", ["cable", "nanosecond"]],
      ["Alan", ["tape", "tape"]],
      ["Barbara", ["notebook"]],
      ["Dijkstra, Edsger", ["graph paper", "pencils, black"]],
      ["Frances", []],
      ["customer 9", ["unknown buyer"]],
    ]),
  );
});

test("k-means finds the centers that a loop over an array finds", async () => {
  const points = readFileSync(join(examples, "data", "points.csv"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split(",").map(Number) as [number, number]);
  const records = await recordsOf<number, [number, number]>("k-means");
  assert.equal(records.length, 3);
  const centers = records.map(([, center]) => center);
  const nearest = ([x, y]: [number, number]) => {
    const distances = centers.map(([cx, cy]) => (x - cx) ** 2 + (y - cy) ** 2);
    return distances.indexOf(Math.min(...distances));
  };
  centers.forEach(([x, y], index) => {
    const own = points.filter((point) => nearest(point) === index);
    assert.ok(own.length > 150, `${own.length} points`);
    assert.ok(Math.abs(own.reduce((sum, [px]) => sum + px, 0) / own.length - x) < 1e-6);
    assert.ok(Math.abs(own.reduce((sum, [, py]) => sum + py, 0) / own.length - y) < 1e-6);
  });
});

test("profile finds words that are one letter apart, and prints where the time went", async () => {
  const known = new Set(texts.flatMap(wordsOf).flatMap((word) => word.split("'")));
  const pairs = await recordsOf<string, string>("profile");
  assert.ok(pairs.length > 20, `${pairs.length} pairs`);
  for (const [a, b] of pairs) {
    assert.ok(known.has(a) && known.has(b) && a < b, `${a} ${b}`);
    const [short, long] = a.length <= b.length ? [a, b] : [b, a];
    // One letter apart: without it, or with any letter in its place, the two are the same.
    const isNear = [...long].some((_, i) => {
      const [head, tail] = [long.slice(0, i), long.slice(i + 1)];
      return short.length === long.length ? short.startsWith(head) && short.endsWith(tail) : short === head + tail;
    });
    assert.ok(isNear, `${a} ${b}`);
  }
  const printed = await runDisco(["run", join(examples, "profile.ts")], { root: folder });
  assert.match(printed.stdout, /similar_words@\S+: 1 task of reduce, /);
  assert.match(printed.stdout, / distance +\S*profile\.ts:\d+\n/);
});

test("page-rank gives the ranks that a loop over an array gives", async () => {
  const links = new Map(
    readFileSync(join(examples, "data", "links.txt"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" "))
      .map(([page = "", ...targets]) => [page, targets] as const),
  );
  let ranks = new Map([...links.keys()].map((page) => [page, 1]));
  for (let round = 0; round < 4; round++) {
    const next = new Map([...links.keys()].map((page) => [page, 0.15]));
    for (const [page, targets] of links) {
      for (const target of targets) {
        next.set(target, (next.get(target) ?? 0) + (0.85 * (ranks.get(page) ?? 0)) / targets.length);
      }
    }
    ranks = next;
  }
  const records = await recordsOf<string, { rank: number }>("page-rank", "--params", "rounds=4");
  assert.equal(records.length, links.size);
  for (const [page, { rank }] of records) assert.ok(Math.abs(rank - (ranks.get(page) ?? 0)) < 1e-9, page);
});

test("ddfs counts the words of lines that were stored as chunks, and stores what it finds", async () => {
  const expected = new Map<string, number>();
  for (const word of texts.flatMap(wordsOf)) expected.set(word, (expected.get(word) ?? 0) + 1);
  for (let run = 0; run < 2; run++) assert.deepEqual(new Map(await recordsOf<string, number>("ddfs")), expected);
  await using ddfs = new DDFS(undefined, { root: folder });
  assert.deepEqual(
    await ddfs.list("example:"),
    ["all", "lines", "long-words", "texts"].map((name) => `example:${name}`),
  );
  const long = [...expected.keys()].filter((word) => word.length > 10).sort();
  for await (const blob of ddfs.pull("example:long-words"))
    assert.deepEqual((await blob.text()).split("\n").slice(0, -1), long);
  const stored = [];
  for await (const blob of ddfs.pull("example:texts")) stored.push(await blob.text());
  assert.deepEqual(
    stored,
    texts.map((file) => readFileSync(file, "utf8")),
  );
  assert.ok((await Array.fromAsync(ddfs.blobs("example:all"))).length > 1);
});

test("async-fetch has the server's answers in the order of its input", async () => {
  const records = await recordsOf<string, number>("async-fetch");
  assert.equal(records.length, 10);
  assert.equal(records[0]?.[0], "tyger");
  for (const [word, letters] of records) assert.equal(letters, word.length);
});

test("start counts the words of files", async () => {
  const done = await runDisco(["run", join(examples, "start.ts"), ...texts], { root: folder });
  assert.equal(done.code, 0, done.stderr);
  const words = texts.flatMap(
    (file) =>
      readFileSync(file, "utf8")
        .toLowerCase()
        .match(/[a-z]{2,}/g) ?? [],
  );
  assert.match(done.stdout, new RegExp(`^${words.length} words, ${new Set(words).size} different ones`, "m"));
  assert.match(done.stdout, new RegExp(`^ {2}the +${words.filter((word) => word === "the").length} `, "m"));
  assert.match(done.stdout, /^results: /m);
});
