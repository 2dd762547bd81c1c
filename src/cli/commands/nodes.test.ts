import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeInfo, NodeState } from "../../client/master-api.ts";
import type { Look } from "../progress/look.ts";
import { linesOfNodes } from "./nodes.ts";

const plain: Look = { unicode: true, paint: (_, text) => text };

function node(name: string, state: NodeState = "up", reason: string | null = null): NodeInfo {
  const counts = { slots: 1, tasks: [], tasksOk: 0, tasksFailed: 0, dataErrors: 0, diskFreeBytes: 0, diskUsedBytes: 0 };
  return { name, state, reason, connected: true, blacklisted: false, labels: {}, ...counts };
}

const words = (lines: readonly string[]): string[][] => lines.map((line) => line.trim().split(/ {2,}/));

test("nodes are listed by name, whoever joined first", () => {
  const lines = linesOfNodes([node("node10"), node("node2"), node("node1")], 120, plain);
  assert.deepEqual(
    words(lines)
      .slice(1)
      .map(([name, state]) => [name, state]),
    [
      ["node1", "ok"],
      ["node2", "ok"],
      ["node10", "ok"],
    ],
  );
  assert.doesNotMatch(lines[0] ?? "", /WHY/);
});

test("a node that gets no tasks is shown with what keeps them off, and why", () => {
  const lines = linesOfNodes(
    [node("b", "quarantined", "all of its tasks failed"), node("a", "full"), node("c")],
    160,
    plain,
  );
  assert.match(lines[0] ?? "", /WHY$/);
  assert.match(lines[1] ?? "", /^a +full /);
  assert.match(lines[2] ?? "", /^b +quarantined .* all of its tasks failed$/);
  assert.match(lines[3] ?? "", /^c +ok /);
});

test("a disk that the master has heard nothing of is shown as unknown, not as full", () => {
  const [, known, unknown] = linesOfNodes([{ ...node("a"), diskFreeBytes: 5e9 }, node("b")], 120, plain);
  assert.match(known ?? "", / 5\.0 GB +0 B$/);
  assert.match(unknown ?? "", / \? +\?$/);
});
