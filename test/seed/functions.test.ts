/** The seed's `map`, `reduce` and `combiner`, and how functions travel with what they use. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, describe, it } from "node:test";
import { Command } from "commander";
import { type Disco, kvgroup, type nopMap, nopReduce, resultIterator } from "disco-mapreduce";
import { openBench, rejection, sorted } from "./bench.ts";
import { separator, shout, Tally } from "./fixtures/words.ts";

const bench = await openBench();
const { disco } = bench;
after(() => bench.close());

const input = ["raw://b a b", "raw://a c"];
const counted = ["a 2", "b 2", "c 1"];
const one = 1;
const stopWords: ReadonlySet<string> = new Set(["the", "a"]);
/** If a worker ran the top level of this file, it would be counted here by several processes. */
const startedIn = process.pid;

function split(line: string): [string, number][] {
  return line.split(separator).map((word) => [word, one]);
}

function withDefault(line = "default"): [string, number][] {
  return [[line, 1]];
}

class Splitter {
  readonly mark = "*";
  static split(this: void, line: string): [string, string][] {
    return line.split(" ").map((word) => [word, new Splitter().mark]);
  }
}

async function mapped(
  map: (line: string) => Iterable<readonly [unknown, unknown]>,
  on: Disco = disco,
): Promise<string[]> {
  return sorted(resultIterator(await on.newJob("mapped", { input: ["raw://a b"], map })));
}

describe("map", { timeout: 60_000 }, () => {
  it("returns pairs in a list, a generator, a Map, or an iterable of any kind", async () => {
    const maps: ((line: string) => Iterable<readonly [string, number]>)[] = [
      (line) => line.split(" ").map((word) => [word, 1] as const),
      function* (line) {
        for (const word of line.split(" ")) yield [word, 1];
      },
      (line) => new Map(line.split(" ").map((word) => [word, 1])),
      (line) => Object.entries(Object.fromEntries(line.split(" ").map((word) => [word, 1]))),
      (line) =>
        line
          .split(" ")
          .values()
          .map((word) => [word, 1] as const),
    ];
    for (const records of await Promise.all(maps.map((map) => mapped(map)))) assert.deepEqual(records, ["a 1", "b 1"]);
  });

  it("may be async, or an async generator; output keeps the order of entries", async () => {
    const lines = await bench.file("numbers.txt", Array.from({ length: 20 }, (_, i) => `${i}\n`).join(""));
    const late = await disco.newJob("late", {
      input: [lines],
      map: async (line) => {
        await new Promise((resolve) => setTimeout(resolve, 20 - Number(line)));
        return [[line, 1] as const];
      },
    });
    const generated = await disco.newJob("generated", {
      input: [lines],
      async *map(line) {
        await new Promise((resolve) => setTimeout(resolve, 20 - Number(line)));
        yield [line, 1] as const;
      },
    });
    const expected = Array.from({ length: 20 }, (_, i) => [String(i), 1]);
    for (const job of [late, generated]) assert.deepEqual(await resultIterator(job).toArray(), expected);
  });

  it("that returns nothing iterable, or no pairs, fails with what it returned", async () => {
    for (const [map, what] of [
      [() => 3, /map returned 3/],
      [() => undefined, /map returned undefined/],
      [() => "text", /map/],
      [() => [["key"]], /pair/],
      [() => [3], /pair/],
    ] as const) {
      const job = await disco.newJob("no_pairs", { input, map: map as unknown as typeof split });
      assert.match((await rejection(job.wait())).message, what);
    }
  });

  it("that emits what cannot be stored fails with the path to it", async () => {
    const job = await disco.newJob("no_value", {
      input,
      map: (line) => [[line, { deep: [0, { f: () => 1 }] }]],
    });
    assert.match((await rejection(job.wait())).message, /deep\[1\]\.f/);
  });
});

describe("reduce", { timeout: 60_000 }, () => {
  it("has the seed's two signatures, and an async form of both", async () => {
    const jobs = await Promise.all([
      disco.newJob("yields", {
        input,
        map: split,
        sort: true,
        *reduce(pairs, _params) {
          for (const [word, ones] of kvgroup(pairs)) yield [word, ones.toArray().length] as const;
        },
      }),
      disco.newJob("adds", {
        input,
        map: split,
        sort: true,
        reduce(pairs, out, _params) {
          for (const [word, ones] of kvgroup(pairs)) out.add(word, ones.toArray().length);
        },
      }),
      disco.newJob("promises", {
        input,
        map: split,
        sort: true,
        reduce: async (pairs) => {
          await new Promise((resolve) => setImmediate(resolve));
          return [...kvgroup(pairs)].length === 3
            ? ([
                ["a", 2],
                ["b", 2],
                ["c", 1],
              ] as const)
            : [];
        },
      }),
      disco.newJob("yields_in_time", {
        input,
        map: split,
        sort: true,
        async *reduce(pairs) {
          for (const [word, ones] of kvgroup(pairs)) {
            await new Promise((resolve) => setImmediate(resolve));
            yield [word, ones.reduce((a, n) => a + n, 0)] as const;
          }
        },
      }),
      disco.newJob("adds_in_time", {
        input,
        map: split,
        sort: true,
        async reduce(pairs, out, _params) {
          for (const [word, ones] of kvgroup(pairs)) {
            await new Promise((resolve) => setImmediate(resolve));
            out.add(word, ones.toArray().length);
          }
        },
      }),
    ]);
    for (const job of jobs) assert.deepEqual(await sorted(resultIterator(job)), counted, job.name);
  });

  it("is not needed, nor is map", async () => {
    const mapOnly = await disco.newJob("map_only", { input, map: split });
    assert.equal((await resultIterator(mapOnly).toArray()).length, 5);
    assert.deepEqual(
      (await mapOnly.jobinfo()).stages.map(({ stage }) => stage),
      ["map"],
    );
    const reduceOnly = await disco.newJob("reduce_only", { input: mapOnly, reduce: nopReduce, sort: true });
    assert.deepEqual(
      (await resultIterator(reduceOnly).toArray()).map(([word]) => word),
      ["a", "a", "b", "b", "c"],
    );
  });
});

describe("combiner", { timeout: 60_000 }, () => {
  it("is called for each pair of each partition, with a buffer of the partition's own, and a last time with done", async () => {
    const job = await disco.newJob("combined", {
      input: ["raw://0 1 2 3 0 1"],
      map: (line) => line.split(" ").map((n): [number, string] => [Number(n), "x"]),
      params: { mark: "!" },
      partition: (key, n) => key % n,
      partitions: 2,
      combiner(key, value, buffer, done, params) {
        if (!done) {
          buffer.set(key, (buffer.get(key) ?? "") + value);
          return undefined;
        }
        return [...buffer].map(
          ([k, v]) => [k, `${v}${params.mark}${[...buffer.keys()].sort((a, b) => a - b).join("")}`] as const,
        );
      },
      reduce: nopReduce,
    });
    assert.deepEqual(await sorted(resultIterator(job)), ["0 xx!02", "1 xx!13", "2 x!02", "3 x!13"]);
  });

  it("that leaves pairs in the buffer has them emitted", async () => {
    const job = await disco.newJob("left", {
      input,
      map: split,
      combiner(word, n, buffer, done) {
        if (!done) buffer.set(word, (buffer.get(word) ?? 0) + n);
      },
    });
    assert.deepEqual(await sorted(resultIterator(job)), ["a 1", "a 1", "b 2", "c 1"]);
  });
});

describe("functions travel", { timeout: 60_000 }, () => {
  it("with imports of packages, local files and Node, and the module's functions, constants and classes", async () => {
    const travelling: [map: (line: string) => Iterable<readonly [unknown, unknown]>, records: string[]][] = [
      [split, ["a 1", "b 1"]],
      [Splitter.split, ["a *", "b *"]],
      [(line) => [[shout(line), stopWords.has("the")]], ["A B true"]],
      [(line) => new Tally().add(line).add(line).counts, ["a b 2"]],
      [(line) => [[basename(`/x/${line}`), new Command("sub").name()]], ["a b sub"]],
      [
        function recursive(line): [string, number][] {
          return line.length > 1 ? [...recursive(line.slice(0, 1)), [line, 1]] : [[line, 1]];
        },
        ["a 1", "a b 1"],
      ],
    ];
    const found = await Promise.all(travelling.map(([map]) => mapped(map)));
    for (const [i, [, records]] of travelling.entries()) assert.deepEqual(found[i], records);
  });

  it("without running the top level of their script again", async () => {
    // Constants that only the top level can compute travel by their value.
    const [record] = await mapped((line) => [[line, startedIn]]);
    assert.equal(record, `a b ${process.pid}`);
    assert.equal((await disco.nodeinfo()).length, 1);
  });

  it("in the forms that functions have: methods, bound to nothing, with defaults and patterns as parameters", async () => {
    const holder = {
      map(line: string): [string, number][] {
        return [[line, 1]];
      },
    };
    assert.deepEqual(await mapped(holder.map), ["a b 1"]);
    assert.deepEqual(await mapped(withDefault), ["a b 1"]);
    assert.deepEqual(await mapped(({ length }) => [[length, 1]]), ["3 1"]);
    assert.deepEqual(await mapped(([first]) => [[first, 1]]), ["a 1"]);
    assert.deepEqual(await mapped((...lines) => [[lines[0], 1]]), ["a b 1"]);
    const destructured = await disco.newJob("destructured", {
      input: ["raw://a"],
      params: { factor: 3, nested: { mark: "!" } },
      map: (line, { factor, nested: { mark } }) => [[line + mark, factor]],
      reduce: (pairs, { factor }) => [...pairs].map(([k, v]) => [k, v * factor] as const),
    });
    assert.deepEqual(await resultIterator(destructured).toArray(), [["a!", 9]]);
  });

  it("never with a local variable: the error names it before anything starts", async () => {
    const jobs = (await disco.joblist()).length;
    const local = Math.random();
    const inner = (line: string): string => line + local;
    for (const [map, name] of [
      [(line: string) => [[line, local]], "local"],
      [(line: string) => [[inner(line), 1]], "inner"],
    ] as [typeof nopMap, string][]) {
      const error = await rejection(disco.newJob("captured", { input, map: map as unknown as typeof split }));
      assert.equal(error["code"], "captured-variable");
      assert.match(error.message, new RegExp(`\\b${name}\\b`));
    }
    assert.equal((await disco.joblist()).length, jobs);
  });

  it("and their errors come back with the user's file, line and a code frame", async () => {
    const job = await disco.newJob("thrown", {
      input: ["raw://a"],
      map: split,
      *reduce(pairs, _params): Generator<[string, number]> {
        for (const [word] of pairs) yield [word, (null as unknown as { length: number }).length];
      },
    });
    const { message, failure } = (await rejection(job.wait())) as Error & {
      failure?: { name: string; frame: string; location: { file: string } };
    };
    assert.equal(failure?.name, "TypeError");
    assert.match(failure.location.file, /functions\.test\.ts$/);
    assert.match(failure.frame, /for \(const \[word\] of pairs\)/);
    assert.match(message, /functions\.test\.ts:\d+:\d+/);
  });
});
