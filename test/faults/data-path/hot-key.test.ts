/**
 * One key that holds nine tenths of the data. Its partition cannot be divided, so it must be streamed: the worker that has
 * it stays below a limit that is far smaller than the partition, and gives the other keys their due.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type JobInfo, kvgroup, resultIterator } from "../../../src/index.ts";
import { type Engine, openEngine } from "../engine.test-kit.ts";

let engine: Engine;
before(async () => {
  engine = await openEngine();
});
after(() => engine[Symbol.asyncDispose]());

const maps = 2;
/** Of each map: 50 MB of values. */
const recordsEach = 50_000;
const valueChars = 1_000;
const memoryLimit = 192;
/** Every tenth record has a key of its own among these. */
const otherKeys = 500;

const params = { recordsEach, valueChars, otherKeys };
const input = Array.from({ length: maps }, (_, map) => `raw://${map}`);

function* map(
  line: string,
  params: { recordsEach: number; valueChars: number; otherKeys: number },
): Generator<[string, string]> {
  for (let i = 0; i < params.recordsEach; i++) {
    const key = i % 10 === 0 ? `key ${(i / 10) % params.otherKeys}` : "hot";
    yield [key, `${line} ${i} `.padEnd(params.valueChars, "x")];
  }
}

/** How many values each key has, how long they are together, and a sum that knows their order. */
const expected = new Map<string, [number, number, number]>();
for (let m = 0; m < maps; m++) {
  for (let i = 0; i < recordsEach; i++) {
    const key = i % 10 === 0 ? `key ${(i / 10) % otherKeys}` : "hot";
    const [count, chars, order] = expected.get(key) ?? [0, 0, 0];
    expected.set(key, [count + 1, chars + valueChars, (order * 31 + i + m) % 1_000_003]);
  }
}

function assertWithin({ peakRss }: JobInfo): void {
  assert.ok(peakRss <= memoryLimit * 2 ** 20, `${Math.round(peakRss / 2 ** 20)} MB`);
}

describe("a key with nine tenths of all values", { timeout: 120_000 }, () => {
  test("is streamed to a sorted reduce, in order", async () => {
    const job = await engine.disco.newJob("sorted", {
      input,
      params,
      map,
      *reduce(pairs) {
        for (const [key, values] of kvgroup(pairs)) {
          let count = 0;
          let chars = 0;
          let order = 0;
          for (const value of values) {
            const [m = "", i = ""] = value.split(" ", 2);
            count++;
            chars += value.length;
            order = (order * 31 + Number(i) + Number(m)) % 1_000_003;
          }
          yield [key, [count, chars, order] as [number, number, number]] as const;
        }
      },
      sort: true,
      partitions: 3,
      memoryLimit,
    });
    assert.deepEqual(new Map(await resultIterator(await job.wait({ timeout: 100 })).toArray()), expected);
    assertWithin(await job.jobinfo());
  });

  test("is streamed to an unsorted reduce, in order", async () => {
    const job = await engine.disco.newJob("unsorted", {
      input,
      params,
      map,
      *reduce(pairs) {
        const sums = new Map<string, [number, number, number]>();
        for (const [key, value] of pairs) {
          const [m = "", i = ""] = value.split(" ", 2);
          const [count, chars, order] = sums.get(key) ?? [0, 0, 0];
          sums.set(key, [count + 1, chars + value.length, (order * 31 + Number(i) + Number(m)) % 1_000_003]);
        }
        yield* sums;
      },
      partitions: 3,
      memoryLimit,
    });
    assert.deepEqual(new Map(await resultIterator(await job.wait({ timeout: 100 })).toArray()), expected);
    assertWithin(await job.jobinfo());
  });

  test("is joined by a combiner", async () => {
    type Sum = [count: number, chars: number];
    const job = await engine.disco.newJob("combined", {
      input,
      params,
      *map(line, params): Generator<[string, string | Sum]> {
        yield* map(line, params);
      },
      combiner(key, value, buffer: Map<string, string | Sum>, done) {
        if (done) return;
        const sum = buffer.get(key) as Sum | undefined;
        if (sum === undefined) buffer.set(key, [1, value.length]);
        else buffer.set(key, [sum[0] + 1, sum[1] + value.length]);
      },
      *reduce(pairs) {
        for (const [key, sums] of kvgroup(pairs)) {
          const total: Sum = [0, 0];
          for (const [count, chars] of sums as Iterable<Sum>) {
            total[0] += count;
            total[1] += chars;
          }
          yield [key, total] as const;
        }
      },
      sort: true,
      partitions: 3,
      memoryLimit,
    });
    const sums = new Map(await resultIterator(await job.wait({ timeout: 100 })).toArray());
    assert.deepEqual(sums, new Map(Array.from(expected, ([key, [count, chars]]) => [key, [count, chars]])));
    assertWithin(await job.jobinfo());
  });
});
