import assert from "node:assert/strict";
import { test } from "node:test";
import { JobQueue, workerQueueMax } from "./job-queue.ts";
import type { PoolTask } from "./pool-worker.ts";

function task(number: number): PoolTask {
  const id = { job: "j", stage: 0, task: number, attempt: 0 };
  return {
    task: { ...id, stageName: "map", group: { label: 0, host: null }, input: { kind: "inputs", inputs: [] } },
    home: { job: "j", jobDir: "", packFile: "", workDir: "", systemDir: "", hasFiles: false, codeKey: null },
    taskTimeoutMs: null,
    memoryLimitBytes: 1,
  };
}

test("tasks leave in the order in which they came, however many", () => {
  const queue = new JobQueue("j");
  const left: number[] = [];
  for (let i = 0; i < 10_000; i++) {
    queue.push(task(i));
    if (i % 3 > 0) left.push(queue.shift()?.task.task ?? -1);
  }
  while (queue.waiting > 0) left.push(queue.shift()?.task.task ?? -1);
  assert.deepEqual(
    left,
    Array.from({ length: 10_000 }, (_, i) => i),
  );
  assert.equal(queue.shift(), undefined);
});

test("tasks that come back go first; a removed one does not leave", () => {
  const queue = new JobQueue("j");
  for (let i = 0; i < 4; i++) queue.push(task(i));
  queue.shift();
  queue.unshift([task(7)]);
  assert.ok(queue.remove(task(2).task));
  assert.ok(!queue.remove(task(0).task));
  assert.deepEqual(
    queue.clear().map(({ task: { task: number } }) => number),
    [7, 1, 3],
  );
  assert.equal(queue.waiting, 0);
});

test("long tasks lie at a worker one by one, tiny ones in numbers", () => {
  const queue = new JobQueue("j");
  assert.equal(queue.depth, 1);
  queue.took(60_000);
  assert.equal(queue.depth, 1);
  for (let i = 0; i < 100; i++) queue.took(0.1);
  assert.equal(queue.depth, workerQueueMax);
  for (let i = 0; i < 100; i++) queue.took(6);
  assert.equal(queue.depth, 3);
});
