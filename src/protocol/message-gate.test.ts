import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageGate } from "./message-gate.ts";

test("a flood of messages is cut to a burst and a rate, and what was dropped is counted once", () => {
  const gate = new MessageGate();
  let passed = 0;
  for (let i = 0; i < 10_000; i++) if (gate.admit("map:0", 0).pass) passed++;
  assert.equal(passed, 500);
  assert.deepEqual(gate.admit("map:0", 1_000), { pass: true, dropped: 9_500 });
  assert.deepEqual(gate.admit("map:0", 1_000), { pass: true, dropped: 0 });
});

test("one task's flood does not cost another one its lines", () => {
  const gate = new MessageGate();
  for (let i = 0; i < 1_000; i++) gate.admit("map:0", 0);
  assert.equal(gate.admit("map:1", 0).pass, true);
});

test("the end of a task tells what was dropped and not yet said", () => {
  const gate = new MessageGate();
  for (let i = 0; i < 510; i++) gate.admit("map:0", 0);
  assert.equal(gate.end("map:0"), 10);
  assert.equal(gate.end("map:0"), 0);
});
