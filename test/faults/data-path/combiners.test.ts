/**
 * Combiners that do what they should not: return nothing or far too much, at the wrong time, or the buffer itself; throw at the
 * end; fill their buffer without end; keep keys that are not theirs. What means something gives the right sums, and what
 * means nothing ends with an error that names it.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { kvgroup, parseDir, resultIterator } from "../../../src/index.ts";
import { deathOf, type Engine, openEngine } from "../engine.test-kit.ts";

type Buffer = Map<string, number>;
type Combine = (key: string, n: number, buffer: Buffer, done: boolean) => unknown;

let engine: Engine;
before(async () => {
  engine = await openEngine();
});
after(() => engine[Symbol.asyncDispose]());

const words = 5;
const lines = 300;

/** A job over words that repeat; the options may change any part of it. */
function newJob(name: string, combiner: Combine, options: object = {}) {
  return engine.disco.newJob(name, {
    input: ["raw://a", "raw://b"],
    map: function* (name): Generator<[string, number]> {
      for (let i = 0; i < lines; i++) yield [`${name}${i % words}`, 1];
    },
    combiner: combiner as never,
    *reduce(pairs) {
      for (const [word, counts] of kvgroup(pairs)) yield [word, counts.reduce((a, n) => a + n, 0)] as const;
    },
    sort: true,
    partitions: 3,
    ...options,
  });
}

const expected = ["a", "b"].flatMap((name) => Array.from({ length: words }, (_, i) => [`${name}${i}`, lines / words]));

describe("a combiner", { timeout: 120_000 }, () => {
  const harmless: [string, Combine][] = [
    [
      "returns nothing and never looks at done",
      (key, n, buffer) => {
        buffer.set(key, (buffer.get(key) ?? 0) + n);
      },
    ],
    [
      "returns the buffer at each call",
      (key, n, buffer, done) => (done ? undefined : buffer.set(key, (buffer.get(key) ?? 0) + n)),
    ],
    [
      "returns the buffer when done",
      (key, n, buffer, done) => {
        if (done) return buffer;
        buffer.set(key, (buffer.get(key) ?? 0) + n);
        return undefined;
      },
    ],
    ["returns each pair at once and keeps nothing", (key, n, _, done) => (done ? [] : [[key, n]])],
    [
      "returns copies of its buffer, and empties it",
      (key, n, buffer, done) => {
        if (!done) buffer.set(key, (buffer.get(key) ?? 0) + n);
        if (!done && buffer.size < 2) return null;
        const pairs = [...buffer];
        buffer.clear();
        return pairs;
      },
    ],
    [
      "keeps keys that are none of the partition's",
      (key, n, buffer, done) => {
        if (!done) buffer.set(`foreign ${key}`, (buffer.get(`foreign ${key}`) ?? 0) + n);
        return false;
      },
    ],
    [
      "splits each number into ones and minus ones",
      function* (key, n, _, done) {
        if (done) return;
        for (let i = 0; i < 50; i++) yield [key, 1];
        for (let i = 0; i < 50 - n; i++) yield [key, -1];
      },
    ],
  ];
  for (const [what, combiner] of harmless) {
    test(`that ${what} changes no sum`, async () => {
      const job = await newJob("harmless", combiner);
      const records = await resultIterator(job).toArray();
      const sums = records.map(([word, n]) => [word.replace("foreign ", ""), n] as const);
      assert.deepEqual(
        sums.sort(([a], [b]) => (a < b ? -1 : 1)),
        expected,
      );
    });
  }

  test("that swallows everything leaves nothing, and no error", async () => {
    const job = await newJob("swallow", () => {});
    assert.deepEqual(await resultIterator(job).toArray(), []);
  });

  test("that returns a million pairs for a record is taken at its word", async () => {
    const job = await engine.disco.newJob("million", {
      input: ["raw://x"],
      map: (line) => [[line, 1] as const],
      combiner: function* (key, n, _buffer, done) {
        if (!done) for (let i = 0; i < 1_000_000; i++) yield [key, n] as const;
      },
      reduce: function* (pairs) {
        let sum = 0;
        for (const [, n] of pairs) sum += n;
        yield ["sum", sum] as const;
      },
    });
    assert.deepEqual(await resultIterator(job).toArray(), [["sum", 1_000_000]]);
  });

  const endless: [string, Combine][] = [
    [
      "for a record",
      function* (key, n) {
        for (;;) yield [key, n];
      },
    ],
    [
      "when done",
      function* (_key, _n, _buffer, done) {
        while (done) yield ["again", 1];
      },
    ],
  ];
  for (const [when, combiner] of endless) {
    test(`that never stops returning pairs ${when} is stopped, and told that it makes more of its records`, async () => {
      const error = await deathOf(await newJob("endless", combiner));
      assert.equal(error.code, "bad-result");
      assert.match(error.message, /combiner emitted more than \d+ pairs in one call/);
      assert.match(error.hint ?? "", /buffer/);
    });
  }

  const wrong: [string, Combine, RegExp][] = [
    ["a number", () => 5, /combiner returned 5: an iterable of \[key, value\], or nothing, was expected/],
    ["pairs that are too long", () => [["k", 1, 2]], /combiner emitted \[ 'k', 1, 2 \]/],
    ["a promise", async () => [], /combiner returned Promise/],
  ];
  for (const [what, combiner, message] of wrong) {
    test(`that returns ${what} is told what was expected`, async () => {
      const error = await deathOf(await newJob("wrong", combiner));
      assert.equal(error.code, "bad-result");
      assert.match(error.message, message);
    });
  }

  test("that throws when done fails the task with its line", async () => {
    const job = await newJob("throws", (key, n, buffer, done) => {
      if (done) throw new RangeError(`no sums today: ${key}`);
      buffer.set(key, n);
    });
    const error = await deathOf(job);
    assert.equal(error.code, "user-error");
    assert.match(error.message, /RangeError: no sums today: undefined/);
    assert.match(error.failure?.location?.file ?? "", /combiners\.test\.ts$/);
    assert.match(error.failure?.frame ?? "", /if \(done\) throw new RangeError/);
  });

  test("that adds ten keys for each one it gets is emptied in time, and loses none", async () => {
    const each = 30_000;
    const job = await engine.disco.newJob("grows", {
      input: ["raw://x"],
      params: { each },
      *map(_line, params) {
        for (let i = 0; i < params.each; i++) yield [String(i), 1] as const;
      },
      combiner(key, n, buffer, done) {
        for (let i = 0; !done && i < 10; i++) buffer.set(`a longer name of the key ${key}, ${i}`, n);
      },
      *reduce(pairs) {
        let count = 0;
        for (const [, n] of pairs) count += n;
        yield ["count", count] as const;
      },
      memoryLimit: 160,
      partitions: 2,
    });
    const counts = await resultIterator(job).toArray();
    assert.equal(
      counts.reduce((sum, [, n]) => sum + n, 0),
      each * 10,
    );
  });

  test("that fills its buffer in a single call dies of the memory limit", async () => {
    const job = await newJob(
      "fills",
      (key, n, buffer) => {
        for (let i = 0; ; i++) buffer.set(`${key} ${i}`, n);
      },
      { memoryLimit: 128 },
    );
    const error = await deathOf(job);
    // V8 allows 2 ** 24 entries in a map: with more memory than that takes, the map says so itself.
    assert.equal(error.code, "out-of-memory");
    assert.match(error.message, /limit 128 MB/);
  });

  test("of keys of a megabyte is emptied before they fill the memory", async () => {
    const keys = 96;
    const job = await engine.disco.newJob("megabytes", {
      input: ["raw://1\n2"],
      params: { keys },
      *map(_line, params) {
        const long = "long".repeat(2 ** 18);
        for (let i = 0; i < params.keys; i++) yield [`${i} ${long}`, 1] as const;
      },
      combiner(key, n, buffer, done) {
        if (!done) buffer.set(key, (buffer.get(key) ?? 0) + n);
      },
      *reduce(pairs) {
        for (const [key, counts] of kvgroup(pairs)) yield [key.length, counts.reduce((a, n) => a + n, 0)] as const;
      },
      sort: true,
      memoryLimit: 192,
    });
    const sums = await resultIterator(job).toArray();
    assert.equal(sums.length, keys);
    for (const [length, n] of sums) assert.ok(length > 2 ** 20 && n === 2, `${length} ${n}`);
  });

  test("gives the same bytes in every attempt, also where its buffers are emptied often", async () => {
    const bytes = async (): Promise<string> => {
      const job = await engine.disco.newJob("samebytes", {
        input: ["raw://x"],
        *map() {
          for (let i = 0; i < 200_000; i++)
            yield [`a key with some text in it ${Math.imul(i, 7919) % 100_000}`, i] as const;
        },
        combiner(key, n, buffer, done) {
          if (!done) buffer.set(key, (buffer.get(key) ?? 0) + n);
        },
        partitions: 3,
        memoryLimit: 160,
      });
      const files = (await Promise.all((await job.wait()).map((url) => parseDir(url)))).flat();
      const parts = files.map((file) =>
        readFile(join(engine.root, "data", file.replace("disco://localhost/disco/", ""))),
      );
      const all = globalThis.Buffer.concat(await Promise.all(parts));
      const records = await resultIterator(job).toArray();
      assert.ok(records.length > 100_000, "the buffers were emptied on the way");
      return all.toString("latin1");
    };
    const [first, second] = [await bytes(), await bytes()];
    assert.ok(first === second);
  });
});
