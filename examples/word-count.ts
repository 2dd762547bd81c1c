/**
 * How often each word occurs.
 *
 *     npx disco run examples/word-count.ts [files…]
 */
import { JobDict, kvgroup } from "disco-mapreduce";

export default new JobDict({
  input: [`${import.meta.dirname}/data/*.txt`],
  map: (line) =>
    line
      .toLowerCase()
      .match(/[a-z']+/g)
      ?.map((word) => [word, 1] as const) ?? [],
  *reduce(pairs) {
    for (const [word, counts] of kvgroup(pairs)) {
      yield [word, counts.reduce((sum, n) => sum + n, 0)] as const;
    }
  },
  sort: true,
  partitions: 4,
});
