/** What Chrome's DevTools and speedscope count on when they open a `.cpuprofile`. */
import assert from "node:assert/strict";
import type { CpuProfile } from "./cpu-profile.ts";

export function assertWellFormed(profile: CpuProfile): void {
  const { nodes, samples, timeDeltas, startTime, endTime } = profile;
  const ids = new Set(nodes.map(({ id }) => id));
  assert.equal(ids.size, nodes.length, "ids are unique");
  assert.equal(nodes[0]?.callFrame.functionName, "(root)");
  const children = nodes.flatMap(({ children = [] }) => children);
  assert.equal(new Set(children).size, children.length, "a node has one parent");
  assert.deepEqual(
    new Set([nodes[0]?.id, ...children]),
    ids,
    "all but the root have a parent, and all children are there",
  );
  assert.equal(samples.length, timeDeltas.length);
  const hits = new Map<number, number>();
  for (const id of samples) {
    assert.ok(ids.has(id), `sample of node ${id}`);
    hits.set(id, (hits.get(id) ?? 0) + 1);
  }
  // The last sample only ends the one before it.
  hits.set(1, (hits.get(1) ?? 0) - 1);
  for (const { id, hitCount, callFrame, positionTicks = [] } of nodes) {
    assert.equal(hitCount, hits.get(id) ?? 0, `hits of ${callFrame.functionName}`);
    assert.ok(callFrame.lineNumber >= -1 && callFrame.columnNumber >= -1);
    assert.ok(positionTicks.every(({ line, ticks }) => line >= 1 && ticks >= 1));
  }
  assert.ok(timeDeltas.every((micros) => Number.isSafeInteger(micros) && micros >= 0));
  assert.equal(
    timeDeltas.reduce((sum, micros) => sum + micros, startTime),
    endTime,
  );
}
