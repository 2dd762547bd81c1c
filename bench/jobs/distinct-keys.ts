/**
 * P10: very many distinct keys, each of which comes twice, and the sum of each. Arguments: `sum` (the built-in one as combiner
 * and reduce) or `sort` (sorted, a reduce by hand), how many keys.
 */
import { Disco, kvgroup, resultIterator } from "disco-mapreduce";
import { sum } from "disco-mapreduce/fn";

const [way, count] = process.argv.slice(2);
const maps = 4;
const each = Math.ceil(Number(count) / maps);
await using disco = new Disco(undefined, { workers: 2 });
const started = performance.now();
const common = {
  // Maps 0 and 1 make the same keys, 2 and 3 as well.
  input: Array.from({ length: 2 * maps }, (_, i) => `raw://${i >> 1}`),
  params: { each },
  *map(line: string, params: { each: number }): Generator<[string, number]> {
    const from = Number(line) * params.each;
    // In an order that is not sorted: 7,368,787 is prime, so that every number comes once.
    for (let i = 0; i < params.each; i++) yield [`k${from + ((i * 7_368_787) % params.each)}`, 1];
  },
  partitions: 4,
  memoryLimit: 256,
};
const job = await (way === "sum"
  ? disco.newJob("bench_distinct", { ...common, combiner: sum, reduce: sum })
  : disco.newJob("bench_distinct", {
      ...common,
      sort: true,
      *reduce(pairs) {
        for (const [key, ones] of kvgroup(pairs)) {
          let total = 0;
          for (const one of ones) total += one;
          yield [key, total] as const;
        }
      },
    }));
const results = await job.wait();
const seconds = (performance.now() - started) / 1000;
let keys = 0;
for (const [key, total] of resultIterator(results)) {
  if (total !== 2) throw new Error(`${key} was seen ${total} times, not twice`);
  keys += 1;
}
if (keys !== maps * each) throw new Error(`${keys} keys of ${maps * each}`);
await job.purge();
console.log(JSON.stringify({ seconds, records: keys }));
