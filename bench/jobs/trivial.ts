/**
 * P5: the trivial job on a warm engine, or at a warm daemon (`DISCO_MASTER`). First the same job again and again, which finds a worker that has its code; then, at
 * leisure, jobs with code of their own, each of which takes the spare worker. Arguments: how many of each. Prints
 * latencies in ms.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Disco } from "disco-mapreduce";

const [count = 0, others = 0] = process.argv.slice(2).map(Number);
/** Time for the next spare worker to start and load. */
const leisureMs = 700;
/** Travels with the functions that use it: with each value they are other code. */
let round = 0;

await using disco = new Disco(undefined, process.env["DISCO_MASTER"] ? {} : { workers: 2 });
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
const newCodeMs: number[] = [];
for (; round < others; round++) {
  await pause(leisureMs);
  const started = performance.now();
  const job = await disco.newJob("trivial", {
    input: ["raw://hello"],
    map: (text) => [[text, round]] as const,
    *reduce(pairs) {
      yield* pairs;
    },
  });
  await job.wait();
  newCodeMs.push(performance.now() - started);
  await job.purge();
}
console.log(JSON.stringify({ latenciesMs, newCodeMs }));
