/** The example of `disco --help`, word for word (`test/cli/help.test.ts`): whoever types it in gets no complaint. Checked by `tsc`. */
import { JobDict, kvgroup } from "disco-mapreduce";
export default new JobDict({
  input: ["*.txt"],
  map: (line) => line.split(/\s+/).map((word) => [word, 1] as const),
  *reduce(pairs) {
    for (const [word, ones] of kvgroup(pairs)) yield [word, ones.reduce((sum, n) => sum + n, 0)] as const;
  },
  sort: true,
});
