/** P6: one map task an input, thousands of them, then eight reduces; at `DISCO_MASTER`, if that is set. Argument: how many. */
import { Disco, kvgroup, resultIterator } from "disco-mapreduce";

const tasks = Number(process.argv[2]);
await using disco = new Disco(undefined, process.env["DISCO_MASTER"] ? {} : { workers: 2 });
const started = performance.now();
const job = await disco.newJob("bench_tasks", {
  input: Array.from({ length: tasks }, (_, i) => `raw://${i}`),
  map: (text) => [[Number(text) % 100, Number(text)]] as const,
  *reduce(pairs) {
    for (const [key, values] of kvgroup(pairs)) yield [key, values.reduce((a, n) => a + n, 0)] as const;
  },
  sort: true,
  partitions: 8,
});
const results = await job.wait();
const seconds = (performance.now() - started) / 1000;
const { peakRss } = await job.jobinfo();
let total = 0;
for await (const [, sum] of resultIterator(results)) total += sum;
if (total !== (tasks * (tasks - 1)) / 2) throw new Error(`wrong sum: ${total}`);
await job.purge();
console.log(JSON.stringify({ seconds, workerRss: peakRss, mainRss: process.resourceUsage().maxRSS * 1024 }));
