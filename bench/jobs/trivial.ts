/** P5: the same trivial job, again and again on a warm engine. Argument: how many. Prints each latency in ms. */
import { Disco } from "disco-mapreduce";

const count = Number(process.argv[2]);
await using disco = new Disco(undefined, { workers: 2 });
const latenciesMs: number[] = [];
for (let i = 0; i < count; i++) {
  const started = performance.now();
  const job = await disco.newJob("trivial", {
    input: ["raw://hello"],
    map: (text) => [[text, 1]] as const,
    *reduce(pairs) {
      yield* pairs;
    },
  });
  await job.wait();
  latenciesMs.push(performance.now() - started);
  await job.purge();
}
console.log(JSON.stringify({ latenciesMs }));
