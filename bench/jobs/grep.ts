/** P4: grep as a job. Arguments: `--generator` for a map that is one, a pattern, the files. Prints its report as JSON. */
import { parseArgs } from "node:util";
import { Disco, resultIterator } from "disco-mapreduce";
import { matching, yieldMatching } from "./grep-functions.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { generator: { type: "boolean", default: false } },
});
const [pattern = "", ...files] = positionals;

await using disco = new Disco(undefined, { workers: 2 });
const started = performance.now();
const job = await disco.newJob("bench_grep", {
  input: files,
  map: values.generator ? yieldMatching : matching,
  params: { pattern: new RegExp(pattern) },
  partitions: null,
});
const results = await job.wait();
let matches = 0;
for await (const [, one] of resultIterator(results)) matches += one;
const seconds = (performance.now() - started) / 1000;
const { peakRss } = await job.jobinfo();
await job.purge();
console.log(JSON.stringify({ seconds, matches, workerRss: peakRss, mainRss: process.resourceUsage().maxRSS * 1024 }));
