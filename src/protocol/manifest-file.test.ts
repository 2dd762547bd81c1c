import assert from "node:assert/strict";
import { test } from "node:test";
import type { StageManifest } from "../core/job/spec.ts";
import { decodeManifest, encodeManifest } from "./manifest-file.ts";

function manifest(count: number): StageManifest {
  const outputs = Array.from({ length: count }, (_, task) => ({
    task,
    ref: { host: `h${task % 3}`, file: `é-${task % 5}`, at: task * 10, length: 10, digest: String(task) },
  }));
  return { stage: 1, version: 3, outputs };
}

test("a manifest of any length comes back as it was", () => {
  for (const count of [0, 1, 999, 1_000, 1_001, 2_500]) {
    const whole = manifest(count);
    assert.deepEqual(decodeManifest(Buffer.from(encodeManifest(whole)).toString()), whole);
  }
});

test("a manifest says which labels an output has, and that others come", () => {
  const outputs = manifest(2_500).outputs.map((output) => ({
    ...output,
    labels: [output.task, 7].slice(output.task % 3),
  }));
  const whole = { ...manifest(0), outputs, open: true } as const;
  assert.deepEqual(decodeManifest(Buffer.from(encodeManifest(whole)).toString()), whole);
});

test("a manifest names each file once", () => {
  const text = Buffer.from(encodeManifest(manifest(2_500))).toString();
  assert.equal(text.split("é-0").length - 1, 3, "once a host");
});

test("a manifest says where copies of outputs lie, beside those that have none", () => {
  const place = { file: "n1/aa/job/.disco/fetched-1-2-0-1", at: 400, length: 36 };
  const outputs = manifest(4).outputs.map((output) => (output.task % 2 === 0 ? { ...output, place } : output));
  const whole = { stage: 1, version: 3, outputs };
  assert.deepEqual(decodeManifest(Buffer.from(encodeManifest(whole)).toString()), whole);
});
