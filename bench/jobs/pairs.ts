/** P9: makes `(string, number)` pairs as the results of a job. Arguments: how many. Prints the addresses of its results; the job is not purged. */
import { Disco } from "disco-mapreduce";

const maps = 8;
const each = Math.ceil(Number(process.argv[2]) / maps);
await using disco = new Disco(undefined, process.env["DISCO_MASTER"] ? {} : { workers: 2 });
const job = await disco.newJob("bench_pairs", {
  input: Array.from({ length: maps }, (_, i) => `raw://${i}`),
  params: { each },
  *map(line, params) {
    const from = Number(line) * params.each;
    for (let i = from; i < from + params.each; i++) yield [`key${i}`, i] as const;
  },
});
console.log(JSON.stringify({ results: await job.wait(), records: maps * each }));
