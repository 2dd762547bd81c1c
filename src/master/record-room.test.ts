import assert from "node:assert/strict";
import { test } from "node:test";
import { jobSpec } from "../core/testing.ts";
import { assertFits } from "./record-room.ts";

const mebibyte = 2 ** 20;

test("a job whose list of inputs is larger than a record is refused before it is recorded", () => {
  const replicas = [`raw://${"x".repeat(mebibyte)}`];
  const spec = { ...jobSpec(), inputs: [{ label: 0, size: mebibyte, replicas, hosts: [null] }] };
  assertFits(3 * mebibyte, spec, 4 * mebibyte);
  assertFits(2 * mebibyte, spec, mebibyte);
  assert.throws(() => assertFits(2 * mebibyte, spec, 4 * mebibyte), { name: "JobError", code: "too-many-inputs" });
});
