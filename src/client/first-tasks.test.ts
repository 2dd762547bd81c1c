import assert from "node:assert/strict";
import { test } from "node:test";
import { firstTasks } from "./first-tasks.ts";
import { maxCoresDefault } from "./job-settings.ts";

const map = (line: string) => [[line, 1]];
const reduce = (pairs: Iterable<unknown>) => pairs;
const many = maxCoresDefault;

const cases: Readonly<Record<string, readonly [options: object, tasks: number]>> = {
  "over one address begins with one task": [{ map, input: ["raw://a"] }, 1],
  "over one small file begins with one task": [{ map, input: [import.meta.filename] }, 1],
  "over a file that is not there begins with one task, to be told so": [{ map, input: "nowhere" }, 1],
  "over three inputs begins with three tasks": [{ map, input: ["raw://a", "raw://b", ["http://a/", "http://b/"]] }, 3],
  "over a pattern begins with many tasks": [{ map, input: "logs/*.txt" }, many],
  "over a pattern begins with as many tasks as it may use cores": [
    { map, input: ["logs/*.txt"], scheduler: { maxCores: 2 } },
    2,
  ],
  "without a map may begin with one task": [{ reduce, input: ["dir://a/b", "dir://a/c"] }, 1],
  "of a pipeline that splits its inputs begins with a task for each": [{ pipeline: [{ map }], input: ["a", "b"] }, 2],
  "of a pipeline that groups its inputs may begin with one task": [
    { pipeline: [{ map, grouping: "group_all" }], input: ["a", "b"] },
    1,
  ],
};
for (const [name, [options, tasks]] of Object.entries(cases)) {
  test(`a job ${name}`, () => assert.equal(firstTasks(options as never), tasks));
}
