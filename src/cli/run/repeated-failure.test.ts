import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobEvent } from "../../client/master-api.ts";
import { RepeatedFailures } from "./repeated-failure.ts";

const failed = (task: string, why: string): JobEvent => ({
  time: "2026-11-23T17:50:10.378Z",
  host: "node",
  task,
  level: "warning",
  message: `WARNING: [${task}] ${why}`,
});

test("why a task fails is said when it has failed five times, and once for all tasks that fail so", () => {
  const failures = new RepeatedFailures();
  const lines = [1, 2, 3, 4, 5, 6].map((n) => failures.lineOf(failed("map:0", `input ${n} cannot be read: gone\n`)));
  assert.deepEqual(lines.slice(0, 4), [null, null, null, null]);
  assert.equal(lines[4], "[map:0] failed 5 times, and is tried again: input 5 cannot be read: gone");
  assert.equal(lines[5], null);
  for (let n = 0; n < 9; n++) assert.equal(failures.lineOf(failed("map:1", `input ${n} cannot be read: gone`)), null);
  assert.equal(
    failures.lineOf(failed("map:0", "no room is left")),
    "[map:0] failed 7 times, and is tried again: no room is left",
  );
});

test("where failures take seconds, the second says why", () => {
  const failures = new RepeatedFailures();
  assert.equal(failures.lineOf(failed("map:0", "no message")), null);
  const later = { ...failed("map:0", "no message"), time: "2026-11-23T17:50:20.378Z" };
  assert.equal(failures.lineOf(later), "[map:0] failed 2 times, and is tried again: no message");
});

test("what a task says itself, and warnings that are of no task, are no failures", () => {
  const failures = new RepeatedFailures();
  const words: JobEvent = { ...failed("map:0", "x"), message: "deprecated" };
  const ofJob: JobEvent = { ...failed("map:0", "x"), task: null };
  for (let n = 0; n < 9; n++) for (const event of [words, ofJob]) assert.equal(failures.lineOf(event), null);
});
