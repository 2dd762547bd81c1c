/** P10: a reduce over one key with very many values. Argument: how many. */
import { Disco, kvgroup, resultIterator } from "disco-mapreduce";

const maps = 4;
const each = Math.ceil(Number(process.argv[2]) / maps);
await using disco = new Disco(undefined, { workers: 2 });
const started = performance.now();
const job = await disco.newJob("bench_hot_key", {
  input: Array.from({ length: maps }, (_, i) => `raw://${i}`),
  params: { each },
  *map(line, params) {
    for (let i = 0; i < params.each; i++) yield ["hot", Number(line) * params.each + i] as const;
  },
  *reduce(pairs) {
    for (const [key, values] of kvgroup(pairs)) {
      let count = 0;
      let sum = 0;
      for (const value of values) {
        count += 1;
        sum += value;
      }
      yield [key, [count, sum]] as const;
    }
  },
  sort: true,
  memoryLimit: 256,
});
const [record] = await resultIterator(await job.wait()).toArray();
const seconds = (performance.now() - started) / 1000;
const [count, sum] = record?.[1] ?? [];
const total = maps * each;
if (count !== total || sum !== (total * (total - 1)) / 2) throw new Error(`wrong: ${count} values, sum ${sum}`);
await job.purge();
console.log(JSON.stringify({ seconds, records: count }));
