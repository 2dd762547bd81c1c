/**
 * P3, P10 and GROWTH: sorts lines of 100 bytes by their first ten. Arguments: the files, of which one may be named several times.
 * Checks the order of what comes out.
 */
import { Disco, resultIterator } from "disco-mapreduce";

await using disco = new Disco(undefined, { workers: 2 });
const started = performance.now();
const job = await disco.newJob("bench_sort", {
  input: process.argv.slice(2),
  map: (line) => [[line.slice(0, 10), line.slice(10)]] as const,
  *reduce(pairs) {
    yield* pairs;
  },
  sort: true,
  partitions: 4,
  memoryLimit: 256,
});
const results = await job.wait();
const seconds = (performance.now() - started) / 1000;
const { peakRss } = await job.jobinfo();
let records = 0;
for (const url of results) {
  let last = "";
  for (const [key] of resultIterator([url])) {
    if (key < last) throw new Error(`not sorted: ${JSON.stringify(key)} after ${JSON.stringify(last)}`);
    last = key;
    records += 1;
  }
}
await job.purge();
console.log(JSON.stringify({ seconds, records, workerRss: peakRss, mainRss: process.resourceUsage().maxRSS * 1024 }));
