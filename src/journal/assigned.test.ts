import assert from "node:assert/strict";
import { it } from "node:test";
import type { TasksAssigned } from "../core/events.ts";
import { partsOf, tasksPerEventMax } from "./assigned.ts";

const task = (n: number) => ({ job: "job", stage: 0, task: n, attempt: 0, host: "a" });
const preempted = [{ job: "job", stage: 1, task: 0, attempt: 0 }];
const holds = [{ job: "job", stage: 0 }];

for (const tasks of [0, 1, tasksPerEventMax, tasksPerEventMax + 1, 2 * tasksPerEventMax, 3 * tasksPerEventMax - 1]) {
  it(`assignments of ${tasks} tasks are written whole and in order, after what makes room for them`, () => {
    const event: TasksAssigned = {
      kind: "tasks-assigned",
      at: 5,
      tasks: Array.from({ length: tasks }, (_, n) => task(n)),
      preempted,
      holds,
    };
    const parts = partsOf(event);
    assert.ok(parts.every(([part]) => part.tasks.length <= tasksPerEventMax && part.at === 5));
    assert.deepEqual(
      parts.flatMap(([part]) => part.tasks),
      event.tasks,
    );
    const last = parts.length - 1;
    assert.equal(parts.length, Math.max(1, Math.ceil(tasks / tasksPerEventMax)));
    assert.deepEqual(
      parts.map(([part, isLast]) => [part.preempted, part.holds, isLast]),
      parts.map((_, n) => [n === 0 ? preempted : undefined, n === last ? holds : undefined, n === last]),
    );
  });
}
