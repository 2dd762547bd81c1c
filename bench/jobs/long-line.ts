/** P10: a line that is longer than a line may be. Argument: the file. Says the error's code and message. */
import { Disco, DiscoError } from "disco-mapreduce";

await using disco = new Disco(undefined, { workers: 2 });
const started = performance.now();
const job = await disco.newJob("bench_long_line", {
  input: [process.argv[2] as string],
  map: (line) => [[line.length, 1]] as const,
  memoryLimit: 256,
});
const error = await job.wait().then(
  () => null,
  (error: unknown) => error,
);
const seconds = (performance.now() - started) / 1000;
const { code, message } = error instanceof DiscoError ? error : { code: "none", message: String(error) };
await job.purge();
console.log(JSON.stringify({ seconds, code, message }));
