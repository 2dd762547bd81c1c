/**
 * `npm start`: counts the words of what npm has just installed. Header files, type declarations, sources and manuals are
 * more than 50 MB of real text that every machine has. Other files can be given: `npx disco run examples/start.ts FILES…`.
 */
import { kvgroup, type RunContext, resultIterator } from "disco-mapreduce";

const installed = `${import.meta.dirname}/../node_modules`;
const texts = [`${installed}/node-*/include/**/*.h`, `${installed}/**/*.{ts,mts,js,mjs,md}`];
const shown = 20;

export default async function countWords({ disco, inputs }: RunContext): Promise<void> {
  const job = await disco.newJob("word_count", {
    input: inputs.length > 0 ? inputs : texts,
    *map(line) {
      for (const word of line.toLowerCase().match(/[a-z]{2,}/g) ?? []) yield [word, 1] as const;
    },
    combiner(word, count, buffer, done) {
      if (!done) buffer.set(word, (buffer.get(word) ?? 0) + count);
    },
    *reduce(pairs) {
      for (const [word, counts] of kvgroup(pairs)) {
        yield [word, counts.reduce((sum, n) => sum + n, 0)] as const;
      }
    },
    sort: true,
    partitions: 4,
  });

  const counts: [word: string, count: number][] = [];
  for await (const [word, count] of resultIterator(await job.wait())) counts.push([word, count]);
  const top = counts.sort(([, a], [, b]) => b - a).slice(0, shown);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);

  console.log(
    `${all.toLocaleString("en-US")} words, ${counts.length.toLocaleString("en-US")} different ones; the top ${shown}:\n`,
  );
  for (const [word, count] of top) {
    const share = "▪".repeat(Math.ceil((count / (top[0]?.[1] ?? 1)) * 30));
    console.log(`  ${word.padEnd(12)} ${count.toLocaleString("en-US").padStart(12)}  ${share}`);
  }
  console.log();
}
