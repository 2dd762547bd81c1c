/**
 * The ten most frequent words, by built-in functions alone: Disco runs them over bytes, without making strings of them.
 *
 *     npx disco run examples/built-ins.ts [files…]
 */
import { JobDict } from "disco-mapreduce";
import { sum, top, words } from "disco-mapreduce/fn";

export default new JobDict({
  input: [`${import.meta.dirname}/data/*.txt`],
  map: words(),
  combiner: sum,
  reduce: top(10),
});
