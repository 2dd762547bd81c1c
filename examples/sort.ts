/**
 * A sort of the whole: each map makes numbers, ranges of them go to different partitions, and each partition is sorted on
 * disk. Read one after the other, the partitions are in order.
 *
 *     npx disco run examples/sort.ts
 */
import { JobDict, makeRangePartition, task } from "disco-mapreduce";

const highest = 1_000_000;

export default new JobDict({
  input: ["raw://5000", "raw://5000", "raw://5000", "raw://5000"],
  *map(count) {
    for (let i = 0; i < Number(count); i++) yield [Math.floor(task.random() * highest), task.partition] as const;
  },
  partition: makeRangePartition(0, highest - 1),
  partitions: 4,
  sort: true,
  seed: 42,
  reduce: (pairs) => pairs,
});
