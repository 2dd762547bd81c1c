import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../log.ts";
import { LimitedLog, linesMax } from "./limited-log.ts";

test("85: a flood of refusals is a few lines a minute, and a count of the rest", () => {
  const lines: [object, string][] = [];
  let now = 0;
  const limited = new LimitedLog(
    { ...silentLog, warn: (fields, message) => void lines.push([fields, message]) },
    () => now,
  );
  for (let i = 0; i < linesMax + 1_000; i++) limited.warn({ i }, "refused");
  assert.equal(lines.length, linesMax);
  now = 60_000;
  limited.warn({ i: "later" }, "refused");
  assert.deepEqual(lines.slice(linesMax), [
    [{ lines: 1_000 }, "more of this was not logged"],
    [{ i: "later" }, "refused"],
  ]);
});
