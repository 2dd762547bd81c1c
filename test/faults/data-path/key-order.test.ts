/**
 * Keys of all types at once, and no comparator: what `sort: true` gives is the documented order, whatever was spilled, merged,
 * partitioned, or done twice because a worker was killed.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { kvgroup, parseDir, resultIterator, task } from "../../../src/index.ts";
import { hashKey } from "../../../src/protocol/hash.ts";
import { compareValues } from "../../../src/protocol/order.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { JobBench } from "../../../src/worker/fixtures/job-bench.ts";
import { messagesOf, openEngine } from "../engine.test-kit.ts";
import { documentedOrder, keyOfAnyKind } from "./documented-order.test-kit.ts";

type Pair = readonly [key: unknown, value: unknown];

/** The seed of jobs that a bench runs. */
const benchSeed = 7;

function bytesOf(pair: Pair): string {
  return Buffer.from(encodeValue(pair)).toString("latin1");
}

/** Stable: records of the same key stay in the order they came. */
function sortedByBook(pairs: readonly Pair[]): Pair[] {
  // Boxed, because sort never asks about undefined.
  return pairs
    .map((pair) => [pair])
    .sort(([a], [b]) => documentedOrder(a?.[0], b?.[0]))
    .map(([pair]) => pair as Pair);
}

test("the engine's order is the documented one, for any two keys", () => {
  fc.assert(
    fc.property(keyOfAnyKind, keyOfAnyKind, (a, b) => {
      assert.equal(Math.sign(compareValues(a, b)), Math.sign(documentedOrder(a, b)));
    }),
    { numRuns: 10_000 },
  );
});

test("random mixes of keys come to the reduce in the documented order, from memory and from many runs", async () => {
  const records = fc.array(fc.tuple(keyOfAnyKind, fc.nat(1_000)), { maxLength: 300, size: "max" });
  const shapes = fc.record({
    tasks: fc.array(records, { minLength: 1, maxLength: 3 }),
    partitions: fc.constantFrom(1, 5),
    memoryLimitBytes: fc.constantFrom(3_000, 60_000, 64 * 2 ** 20),
  });
  await fc.assert(
    fc.asyncProperty(shapes, async ({ tasks, partitions, memoryLimitBytes }) => {
      const bench = await JobBench.open({
        stages: [
          { kind: "map", fn: (number: string) => tasks[Number(number)], partitions },
          { kind: "reduce", fn: (pairs: Iterable<Pair>) => pairs, sort: true },
        ],
        memoryLimitBytes,
      });
      try {
        for (const number of tasks.keys()) await bench.run({ task: number, inputs: [`raw://${number}`] });
        for (let label = 0; label < partitions; label++) await bench.run({ stage: 1, task: label, label });
        const expected = Array.from({ length: partitions }, (_, label) =>
          sortedByBook(tasks.flat().filter(([key]) => hashKey(key, benchSeed) % partitions === label)),
        );
        assert.deepEqual(bench.results(1).map(bytesOf), expected.flat().map(bytesOf));
      } finally {
        await bench.close();
      }
    }),
    { numRuns: 60, interruptAfterTimeLimit: 2_500 },
  );
});

describe("keys of all kinds in one job", { timeout: 120_000 }, () => {
  const keys = fc.sample(keyOfAnyKind, { numRuns: 200, seed: 1 });
  const maps = 2;
  const rounds = 12;
  const text = "text ".repeat(400);

  async function run(partitions: number, murders: boolean) {
    await using engine = await openEngine({ workers: 2 });
    const job = await engine.disco.newJob("keys", {
      input: Array.from({ length: maps }, (_, map) => `raw://${map}`),
      params: { keys, rounds, text, murders, seen: 0 },
      *map(line, params): Generator<[unknown, [string, number, string]]> {
        for (let round = 0; round < params.rounds; round++) {
          for (const key of params.keys) yield [key, [line, round, params.text]];
          if (params.murders && task.attempt === 0 && round === params.rounds - 2) {
            process.kill(process.pid, "SIGKILL");
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
          }
        }
      },
      *reduce(pairs, params) {
        for (const [key, values] of kvgroup(pairs)) {
          yield [key, values.map(([line, round]) => `${line} ${round}`).toArray()] as const;
          if (params.murders && task.attempt === 0 && ++params.seen === 20) {
            process.kill(process.pid, "SIGKILL");
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
          }
        }
      },
      sort: true,
      partitions,
    });
    const urls = await job.wait({ timeout: 100 });
    const hash = createHash("sha256");
    for (const file of (await Promise.all(urls.map((url) => parseDir(url)))).flat()) {
      hash.update(await readFile(join(engine.root, "data", file.replace("disco://localhost/disco/", ""))));
    }
    const lost = (await messagesOf(job)).filter((message) => message.includes("SIGKILL")).length;
    return { records: await resultIterator(urls).toArray(), digest: hash.digest("hex"), lost };
  }

  for (const partitions of [1, 5]) {
    test(`are grouped in the documented order by ${partitions} partitions, and by the same bytes when workers are killed`, async () => {
      const quiet = await run(partitions, false);
      assert.equal(quiet.lost, 0);
      const groups = Map.groupBy(keys, (key) => bytesOf([sameAs(key), null]));
      const expected = [...groups.values()].map((same) => [
        same[0],
        Array.from({ length: maps * rounds }, (_, i) =>
          same.map(() => `${Math.floor(i / rounds)} ${i % rounds}`),
        ).flat(),
      ]) as Pair[];
      const book = sortedByBook(expected).map(bytesOf);
      const found = quiet.records.map(bytesOf);
      if (partitions === 1) assert.deepEqual(found, book);
      else assert.deepEqual([...found].sort(), [...book].sort());
      const disturbed = await run(partitions, true);
      assert.equal(disturbed.digest, quiet.digest);
      assert.ok(disturbed.lost > maps, `${disturbed.lost} workers were killed`);
    });
  }

  /** The first of the sampled keys that the documentation calls the same. */
  function sameAs(key: unknown): unknown {
    return keys.find((other) => documentedOrder(key, other) === 0);
  }
});
