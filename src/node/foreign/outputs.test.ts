import assert from "node:assert/strict";
import { test } from "node:test";
import { outputFailure } from "./outputs.ts";

test("outputs that do not fit on the disk have the task tried on another node, and other errors of it as well", () => {
  for (const [error, code] of [
    ["ENOSPC", "disk-full"],
    ["EDQUOT", "disk-full"],
    ["EIO", "bad-output"],
  ] as const) {
    const failure = outputFailure(Object.assign(new Error(`${error}: write`), { code: error }));
    assert.deepEqual([failure.code, failure.retry], [code, "elsewhere"]);
    assert.match(failure.message, new RegExp(`could not be kept: ${error}: write$`));
  }
});
