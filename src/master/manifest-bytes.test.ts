import assert from "node:assert/strict";
import { test } from "node:test";
import type { StageManifest } from "../core/job/spec.ts";
import { manifestBytes } from "./manifest-bytes.ts";

function manifest(count: number): StageManifest {
  const outputs = Array.from({ length: count }, (_, task) => ({
    task,
    ref: { host: "h", file: `é-${task}`, at: task * 10, length: 10, digest: String(task) },
  }));
  return { stage: 1, version: 3, outputs };
}

test("a manifest of any length is the same JSON as in one piece", () => {
  for (const count of [0, 1, 999, 1_000, 1_001, 2_500]) {
    const whole = manifest(count);
    assert.deepEqual(JSON.parse(Buffer.from(manifestBytes(whole)).toString()), whole);
  }
});
