/** P1b: word count by the built-in functions. Arguments: the files. Prints its report as JSON. */
import { Disco, resultIterator } from "disco-mapreduce";
import { sum, words } from "disco-mapreduce/fn";

await using disco = new Disco(undefined, { workers: 2 });
const started = performance.now();
const job = await disco.newJob("bench_words_fn", {
  input: process.argv.slice(2),
  map: words(),
  combiner: sum,
  reduce: sum,
  partitions: 4,
});
const results = await job.wait();
const seconds = (performance.now() - started) / 1000;
const { peakRss } = await job.jobinfo();
let distinct = 0;
let total = 0;
for await (const [, n] of resultIterator(results)) {
  distinct += 1;
  total += n;
}
await job.purge();
console.log(
  JSON.stringify({ seconds, distinct, total, workerRss: peakRss, mainRss: process.resourceUsage().maxRSS * 1024 }),
);
