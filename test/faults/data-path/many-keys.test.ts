/**
 * Far more distinct keys than a worker's memory could hold: as the keys of a combiner, whose buffers must be emptied again and
 * again, and of a sorted reduce, which sees each key once. (`npm run bench -- P10` has a hundred million of them.)
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { kvgroup, resultIterator } from "../../../src/index.ts";
import { openEngine } from "../engine.test-kit.ts";

const maps = 2;
/** A `Map` of so many of them takes more than the limit. */
const keys = 1_500_000;
const memoryLimit = 224;

test("one and a half million distinct keys are combined, shuffled and grouped within the memory of fewer", {
  timeout: 120_000,
}, async () => {
  await using engine = await openEngine();
  const job = await engine.disco.newJob("manykeys", {
    // Each key once by each map, and in no order.
    input: Array.from({ length: maps }, (_, i) => `raw://${i}`),
    params: { keys },
    *map(_line, { keys }) {
      for (let i = 0; i < keys; i++) yield [`number ${(i * 7_919) % keys}`, 1] as const;
    },
    combiner(key, n, buffer, done) {
      if (!done) buffer.set(key, (buffer.get(key) ?? 0) + n);
    },
    *reduce(pairs) {
      let groups = 0;
      let sum = 0;
      let numbers = 0;
      let last = "";
      let ascending = true;
      for (const [key, counts] of kvgroup(pairs)) {
        groups++;
        sum += counts.reduce((a, n) => a + n, 0);
        numbers += Number(key.slice("number ".length));
        ascending &&= last < key;
        last = key;
      }
      yield ["partition", { groups, sum, numbers, ascending }] as const;
    },
    sort: true,
    partitions: 2,
    memoryLimit,
  });
  const found = await resultIterator(await job.wait({ timeout: 100 })).toArray();
  const total = (of: "groups" | "sum" | "numbers"): number => found.reduce((all, [, some]) => all + some[of], 0);
  assert.equal(total("groups"), keys);
  assert.equal(total("sum"), keys * maps);
  assert.equal(total("numbers"), (keys * (keys - 1)) / 2);
  assert.ok(found.every(([, { ascending }]) => ascending));
  const { peakRss } = await job.jobinfo();
  assert.ok(peakRss <= memoryLimit * 2 ** 20, `${Math.round(peakRss / 2 ** 20)} MB`);
});
