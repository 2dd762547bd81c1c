/**
 * For each word the files in which it occurs, as a search engine needs it.
 *
 *     npx disco run examples/inverted-index.ts [files…]
 */
import { JobDict, kvgroup, task } from "disco-mapreduce";

export default new JobDict({
  input: [`${import.meta.dirname}/data/*.txt`],
  *map(line) {
    const file = task.inputs[0]?.split("/").at(-1) ?? "";
    for (const [word] of line.toLowerCase().matchAll(/[a-z']+/g)) yield [word, file] as const;
  },
  *reduce(pairs) {
    for (const [word, files] of kvgroup(pairs)) yield [word, [...new Set(files)].sort()] as const;
  },
  sort: true,
});
