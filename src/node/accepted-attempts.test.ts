import assert from "node:assert/strict";
import { test } from "node:test";
import { AcceptedAttempts } from "./accepted-attempts.ts";

const job = "j@1";

test("an attempt is accepted once, and not after a later one of the task", () => {
  const accepted = new AcceptedAttempts();
  assert.equal(accepted.add({ job, stage: 0, task: 3, attempt: 0 }), true);
  assert.equal(accepted.add({ job, stage: 0, task: 3, attempt: 0 }), false);
  assert.equal(accepted.add({ job, stage: 0, task: 3, attempt: 2 }), true);
  assert.equal(accepted.add({ job, stage: 0, task: 3, attempt: 1 }), false);
});

test("tasks and stages are told apart, whatever their number and order", () => {
  const accepted = new AcceptedAttempts();
  for (const task of [70_000, 0, 64, 128, 63]) assert.equal(accepted.add({ job, stage: 0, task, attempt: 0 }), true);
  for (const task of [70_000, 0, 64, 128, 63]) {
    assert.equal(accepted.add({ job, stage: 0, task, attempt: 0 }), false);
    assert.equal(accepted.add({ job, stage: 1, task, attempt: 0 }), true);
  }
});
