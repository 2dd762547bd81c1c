/**
 * Submits small jobs at once through a number of clients and waits for all of them. Arguments: jobs, clients. The master is that of
 * `DISCO_MASTER`. Prints the seconds until all were accepted, and until all were ready.
 */
import { Disco } from "disco-mapreduce";

const [jobs = 0, clients = 1] = process.argv.slice(2).map(Number);
const discos = Array.from({ length: clients }, () => new Disco());
const started = performance.now();
let acceptedMs = 0;
const results = await Promise.all(
  Array.from({ length: jobs }, async (_, i) => {
    const disco = discos[i % clients] as Disco;
    const job = await disco.newJob("small", {
      input: [`raw://${i}`],
      map: (text) => [[text, 1]] as const,
      *reduce(pairs) {
        yield* pairs;
      },
    });
    acceptedMs = performance.now() - started;
    return await job.wait();
  }),
);
const readyMs = performance.now() - started;
for (const disco of discos) await disco.close();
const wrong = results.filter(({ length }) => length !== 1).length;
if (wrong > 0) throw new Error(`${wrong} of ${jobs} jobs have no result`);
console.log(JSON.stringify({ acceptedSeconds: acceptedMs / 1000, readySeconds: readyMs / 1000 }));
