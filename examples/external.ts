/**
 * Counts words with a map and a reduce that are a program: in Python, which needs no compiler. The same in C and Rust lies beside it.
 *
 *   cc -O2 -I ext -o word-count examples/external/word-count.c ext/disco.c
 *   npx disco run examples/external.ts --params program=./word-count FILES…
 */
import { external, type Results, type RunContext } from "disco-mapreduce";

const folder = import.meta.dirname;

export default async function countWords({ disco, inputs, params }: RunContext): Promise<Results<string, string>> {
  const program = external([String(params["program"] ?? `${folder}/external/word_count.py`)]);
  const job = await disco.newJob("external", {
    input: inputs.length > 0 ? inputs : [`${folder}/data/*.txt`],
    map: program,
    combiner(word, count, buffer, done) {
      if (!done) buffer.set(word, `${Number(buffer.get(word) ?? 0) + Number(count)}`);
    },
    reduce: program,
    sort: true,
    partitions: 4,
  });
  return job.wait();
}
