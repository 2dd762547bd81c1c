/**
 * P14: the word count of `examples/start.ts`, without its combiner, by functions or programs. Arguments: `typescript`, `external
 * PROGRAM` or `worker PROGRAM` (a worker of the job's own), then the files. Prints its report as JSON.
 */
import { basename } from "node:path";
import { Disco, external, type Job, JobPack, kvgroup, mapLineReader, resultIterator } from "disco-mapreduce";

const partitions = 4;
const [kind, ...rest] = process.argv.slice(2);
const [program = "", ...files] = kind === "typescript" ? ["", ...rest] : rest;

await using disco = new Disco(undefined, { workers: 2 });
const started = performance.now();
const job = kind === "typescript" ? await functions() : kind === "external" ? await programs() : await worker();
const results = await job.wait();
const seconds = (performance.now() - started) / 1000;
let distinct = 0;
let total = 0;
for await (const count of kind === "worker" ? countsOfLines() : countsOfPairs()) {
  distinct += 1;
  total += count;
}
await job.purge();
console.log(JSON.stringify({ seconds, distinct, total }));

function functions(): Promise<Job<string, number>> {
  return disco.newJob("bench_languages", {
    input: files,
    *map(line) {
      for (const word of line.toLowerCase().match(/[a-z]{2,}/g) ?? []) yield [word, 1] as const;
    },
    *reduce(pairs) {
      for (const [word, ones] of kvgroup(pairs)) yield [word, ones.reduce((sum, n) => sum + n, 0)] as const;
    },
    sort: true,
    partitions,
  });
}

function programs(): Promise<Job<string, string>> {
  const words = external([program]);
  return disco.newJob("bench_languages", { input: files, map: words, reduce: words, sort: true, partitions });
}

async function worker(): Promise<Job> {
  const name = basename(program);
  return disco.submitPack(
    await JobPack.make({
      jobdict: {
        prefix: "bench_languages",
        worker: name,
        pipeline: [
          ["map", "split", false],
          ["reduce", "group_label", false],
        ],
        inputs: files.map((file) => [0, 0, [file]]),
      },
      jobhome: { [name]: { path: program } },
      jobdata: JSON.stringify({ partitions }),
    }),
  );
}

async function* countsOfPairs(): AsyncGenerator<number> {
  for await (const [, count] of resultIterator<string, string | number>(results)) yield Number(count);
}

/** A line has a word and how often it is there. */
async function* countsOfLines(): AsyncGenerator<number> {
  for await (const line of resultIterator(results, { reader: mapLineReader })) yield Number(String(line).split(" ")[1]);
}
