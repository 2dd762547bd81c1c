/**
 * P1, P2 and P11: word count as a job. Arguments: `combiner`, `none`, `profiled`, or `profile` to have the profile in the
 * report, then the files. Prints its report as JSON.
 */
import { Disco, resultIterator } from "disco-mapreduce";
import { addUp, words } from "./word-functions.ts";

const [kind, ...files] = process.argv.slice(2);

await using disco = new Disco(undefined, { workers: 2 });
const started = performance.now();
const job = await disco.newJob("bench_words", {
  input: files,
  map: words,
  ...(kind === "none" ? {} : { combiner: addUp }),
  profile: kind === "profiled" || kind === "profile",
  partitions: 4,
  *reduce(pairs) {
    const counts = new Map<string, number>();
    for (const [word, n] of pairs) counts.set(word, (counts.get(word) ?? 0) + n);
    yield* counts;
  },
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
const profile = kind === "profile" ? { profile: (await job.profileStats()).toCpuProfile() } : {};
await job.purge();
console.log(
  JSON.stringify({
    seconds,
    distinct,
    total,
    workerRss: peakRss,
    mainRss: process.resourceUsage().maxRSS * 1024,
    ...profile,
  }),
);
