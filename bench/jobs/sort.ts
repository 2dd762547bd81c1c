/** P3: sorts lines of 100 bytes by their first ten. Argument: the file. Checks the order of what comes out. */
import { Disco, resultIterator } from "disco-mapreduce";
import { ProcessMemory } from "../processes.ts";

using memory = new ProcessMemory();
await using disco = new Disco(undefined, { workers: 2 });
const started = performance.now();
const job = await disco.newJob("bench_sort", {
  input: [process.argv[2] as string],
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
const workers = memory.children();
const main = memory.own();
let records = 0;
for (const url of results) {
  let last = "";
  for await (const [key] of resultIterator([url])) {
    if (key < last) throw new Error(`not sorted: ${JSON.stringify(key)} after ${JSON.stringify(last)}`);
    last = key;
    records += 1;
  }
}
await job.purge();
console.log(JSON.stringify({ seconds, records, workerRss: peakRss, mainRss: memory.own(), workers, main }));
