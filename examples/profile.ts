/**
 * Where does the time of a job go? Looks for words that are one letter apart, the slow way, and prints the profile: `distance`
 * takes most of it. `disco profile @ -o job.cpuprofile` writes the same for Chrome's DevTools afterwards.
 *
 *     npx disco run examples/profile.ts
 */
import { JobDict, kvgroup, type RunContext } from "disco-mapreduce";

const words = (line: string): string[] => line.toLowerCase().match(/[a-z]+/g) ?? [];

/** How many letters have to be changed, added or left out to make one word of the other. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    above = row;
  }
  return above[b.length] ?? 0;
}

const similarWords = new JobDict({
  input: [`${import.meta.dirname}/data/*.txt`],
  map: (line) => words(line).map((word) => [word, 1] as const),
  sort: true,
  *reduce(pairs) {
    const known = [...kvgroup(pairs)].map(([word]) => word);
    for (const [i, word] of known.entries()) {
      for (const other of known.slice(i + 1)) if (distance(word, other) === 1) yield [word, other] as const;
    }
  },
  profile: true,
});

export default async ({ disco }: RunContext) => {
  const job = await disco.newJob("similar_words", similarWords);
  const results = await job.wait();
  const stats = await job.profileStats("reduce");
  stats.printStats({ sort: "total", limit: 8 });
  return results;
};
