/**
 * The lines that match a pattern, each with its file: a job with a map only.
 *
 *     npx disco run examples/grep.ts [files…] --params pattern=summer
 */
import { JobDict, task } from "disco-mapreduce";

export default new JobDict({
  input: [`${import.meta.dirname}/data/*.txt`],
  params: { pattern: "summer" },
  map: (line, params) => (new RegExp(params.pattern, "i").test(line) ? [[fileOf(task.inputs[0]), line] as const] : []),
});

function fileOf(address: string | undefined): string {
  return address?.split("/").at(-1) ?? "";
}
