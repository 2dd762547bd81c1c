/**
 * Records of a megabyte, in numbers: as keys that are sorted, combined, partitioned, shown in events and errors, and as values.
 * And one that is too large for the memory limit: refused by name.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { kvgroup, nopReduce, resultIterator } from "../../../src/index.ts";
import { deathOf, type Engine, messagesOf, openEngine } from "../engine.test-kit.ts";

let engine: Engine;
before(async () => {
  engine = await openEngine();
});
after(() => engine[Symbol.asyncDispose]());

const megabyte = 2 ** 20;
const memoryLimit = 256;
const limitBytes = memoryLimit * megabyte;

describe("keys of a megabyte", { timeout: 120_000 }, () => {
  const maps = 2;
  /** Of each map; the maps emit the same keys. Together they are more than the memory limit. */
  const keys = 140;

  for (const differAt of ["start", "end"] as const) {
    test(`that differ at their ${differAt} are sorted and grouped, far more of them than fit into memory`, async () => {
      const job = await engine.disco.newJob("keys", {
        input: Array.from({ length: maps }, (_, i) => `raw://${i}`),
        params: { keys, differAt, text: "k".repeat(megabyte) },
        *map(line, { keys, differAt, text }) {
          for (let i = 0; i < keys; i++) {
            const name = String(Math.imul(i, 7919) % keys).padStart(4, "0");
            yield [differAt === "start" ? name + text : text + name, Number(line)] as const;
          }
        },
        *reduce(pairs, { differAt }) {
          for (const [key, lines] of kvgroup(pairs)) {
            const name = differAt === "start" ? key.slice(0, 4) : key.slice(-4);
            yield [name, [key.length, ...lines]] as const;
          }
        },
        sort: true,
        partitions: 2,
        memoryLimit,
      });
      const records = await resultIterator(await job.wait({ timeout: 100 })).toArray();
      const names = Array.from({ length: keys }, (_, i) => String(i).padStart(4, "0"));
      const expected = new Map(names.map((name) => [name, [megabyte + 4, 0, 1]]));
      assert.deepEqual(new Map(records), expected);
      const drops = records.filter(([name], i) => i > 0 && name < (records[i - 1]?.[0] ?? "")).length;
      assert.ok(drops <= 1, "ascending in each partition");
      assert.ok((await job.jobinfo()).peakRss <= limitBytes);
    });
  }

  test("that are few and come often are summed, with a combiner and without", async () => {
    const options = {
      input: ["raw://1\n2\n3"],
      params: { text: "k".repeat(megabyte) },
      *map(line: string, { text }: { text: string }): Generator<[string, number]> {
        for (let i = 0; i < 60; i++) yield [`${i % 5}${text}`, Number(line)];
      },
      *reduce(pairs: Iterable<[string, number]>): Generator<[string, number]> {
        for (const [key, values] of kvgroup(pairs)) yield [key, values.reduce((a, n) => a + n, 0)];
      },
      sort: true,
      memoryLimit,
    };
    const combiner = (key: string, n: number, buffer: Map<string, number>, done: boolean): void => {
      if (!done) buffer.set(key, (buffer.get(key) ?? 0) + n);
    };
    for (const some of [options, { ...options, combiner }]) {
      const job = await engine.disco.newJob("few", some);
      const sums = await resultIterator(await job.wait({ timeout: 100 })).toArray();
      assert.deepEqual(
        sums.map(([key, n]) => [key.slice(0, 2), key.length, n]),
        Array.from({ length: 5 }, (_, i) => [`${i}k`, megabyte + 1, 72]),
      );
    }
  });

  test("are cut where an event or an error names them", async () => {
    const job = await engine.disco.newJob("named", {
      input: ["raw://x"],
      map: (line) => {
        const key = line.repeat(2 ** 20);
        console.log(`the key is ${key}`);
        return [[key, 1] as const];
      },
      partition: () => 7,
      partitions: 2,
      reduce: nopReduce,
    });
    const error = await deathOf(job);
    assert.equal(error.code, "bad-partition");
    assert.match(error.message, /partition returned 7 for the key 'xxxx+'\.\.\. 1048516 more characters/);
    for (const message of await messagesOf(job)) assert.ok(message.length < 64 * 1024, `${message.length} characters`);
  });
});

describe("values of a megabyte", { timeout: 120_000 }, () => {
  test("are kept exactly, far more of them than fit into memory", async () => {
    const job = await engine.disco.newJob("values", {
      input: ["raw://0", "raw://1"],
      params: { size: megabyte, each: 140 },
      *map(line, { size, each }) {
        for (let i = 0; i < each; i++) {
          const value = i % 2 === 0 ? "ü".repeat(size / 2) + i : new Uint8Array(size).fill(i);
          yield [i % 10, [Number(line), value]] as [number, [number, string | Uint8Array]];
        }
      },
      *reduce(pairs) {
        for (const [key, values] of kvgroup(pairs)) {
          const seen: string[] = [];
          for (const [line, value] of values) {
            const last = typeof value === "string" ? value.slice(value.lastIndexOf("ü") + 1) : String(value.at(-1));
            seen.push(`${line} ${value.length} ${last}`);
          }
          yield [key, seen] as const;
        }
      },
      sort: true,
      memoryLimit,
    });
    const records = await resultIterator(await job.wait({ timeout: 100 })).toArray();
    const expected = Array.from({ length: 10 }, (_, key) => [
      key,
      [0, 1].flatMap((line) =>
        Array.from({ length: 14 }, (_, n) => {
          const i = n * 10 + key;
          return `${line} ${i % 2 === 0 ? megabyte / 2 + String(i).length : megabyte} ${i}`;
        }),
      ),
    ]);
    assert.deepEqual(records, expected);
    assert.ok((await job.jobinfo()).peakRss <= limitBytes);
  });
});

describe("a record above an eighth of the memory limit", { timeout: 120_000 }, () => {
  const tooLarge = (limitBytes / 8) * 1.01;

  test("is refused with its key and the input that it came from, whether key or value is large", async () => {
    const input = join(engine.scratch, "input.txt");
    await writeFile(input, "first\nsecond\n");
    // The map makes the large part: in the params there would be copies of it.
    for (const [kind, name] of [
      ["value", /'the key'/],
      ["key", /'yyyyyyyyyy+'\.\.\. \d+ more characters/],
      ["bytes", /\{ id: 17 \}/],
    ] as const) {
      for (const stages of [{}, { reduce: nopReduce, sort: true }]) {
        const job = await engine.disco.newJob("large", {
          input: [input],
          params: { kind, size: Math.ceil(tooLarge) },
          map(line, { kind, size }): [unknown, unknown][] {
            if (line !== "second") return [];
            if (kind === "key") return [["y".repeat(size), 1]];
            return kind === "value"
              ? [["the key", "x".repeat(size)]]
              : [[{ id: 17 }, { list: [new Uint8Array(size)] }]];
          },
          memoryLimit,
          ...stages,
        });
        const error = await deathOf(job);
        assert.equal(error.code, "record-too-large");
        assert.match(error.message, name);
        assert.match(error.message, /takes 32\.3 MB, an eighth of the memory limit is 32\.0 MB/);
        assert.match(error.hint ?? "", /raise memoryLimit above 259 MB/);
        assert.equal(error.failure?.url, input);
      }
    }
  });

  test("is refused by the reduce that makes it", async () => {
    const job = await engine.disco.newJob("large", {
      input: ["raw://x"],
      params: { size: tooLarge },
      map: (line) => [[line, 1] as const],
      *reduce(pairs, { size }) {
        for (const [key] of pairs) yield [key, new Uint8Array(size)] as const;
      },
      memoryLimit,
    });
    const error = await deathOf(job);
    assert.equal(error.code, "record-too-large");
    assert.match(error.message, /'x'/);
  });

  test("is not one whose bytes are fewer: they count once", async () => {
    const size = 17 * megabyte;
    const job = await engine.disco.newJob("bytes", {
      input: ["raw://x"],
      params: { size },
      *map(line, { size }) {
        yield [line, new Map([[line, new Uint8Array(size).fill(7)]])] as const;
      },
      *reduce(pairs) {
        for (const [key, value] of pairs) yield [key, value] as const;
      },
      sort: true,
      memoryLimit,
    });
    const records = await resultIterator(await job.wait({ timeout: 100 })).toArray();
    assert.deepEqual(
      records.map(([key, value]) => [key, value.get("x")?.length, value.get("x")?.at(-1)]),
      [["x", size, 7]],
    );
  });

  test("is taken with a higher limit", async () => {
    const job = await engine.disco.newJob("larger", {
      input: ["raw://x"],
      params: { size: tooLarge },
      map: (line, { size }) => [[line, "x".repeat(size)] as const],
      reduce: nopReduce,
      sort: true,
      memoryLimit: 512,
    });
    const [record] = await resultIterator(await job.wait({ timeout: 100 })).toArray();
    assert.equal(record?.[1]?.length, Math.floor(tooLarge));
  });
});
