import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CallTree, type Frame } from "../../worker/profile/call-tree.ts";
import { assertWellFormed } from "./cpu-profile.test-kit.ts";
import { cpuProfileOf } from "./cpu-profile.ts";

const frame = (name: string, url = "file:///job.ts", line = 3, column = 5): Frame => ({ name, url, line, column });
const engine = (name: string): Frame => frame(name, "", 0, 0);

const anyTree = fc
  .array(
    fc.tuple(
      fc.array(fc.constantFrom("a", "b", "(garbage collector)", "(program)"), { maxLength: 5 }),
      fc.integer({ min: 0, max: 9_999 }),
      fc.integer({ min: 0, max: 20 }),
    ),
    { maxLength: 30 },
  )
  .map((calls) => {
    const tree = new CallTree();
    for (const [path, micros, samples] of calls) {
      let node = 0;
      for (const name of path) node = tree.child(node, name.startsWith("(") ? engine(name) : frame(name));
      tree.add(node, micros, samples, new Map([[7, samples]]));
    }
    return tree;
  });

describe("a merged profile in the standard format", () => {
  it("is well formed, whatever was merged, and lasts as long as all of its calls", () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const profile = cpuProfileOf(tree);
        assertWellFormed(profile);
        assert.equal(
          profile.endTime,
          tree.selfMicros.reduce((sum, micros) => sum + micros, 0),
        );
      }),
    );
  });

  it("has for each function its time, its samples, its place from 0, and its lines from 1", () => {
    const tree = new CallTree();
    const map = tree.child(0, frame("map"));
    tree.add(map, 2_001, 2, new Map([[4, 2]]));
    tree.add(tree.child(map, frame("helper", "file:///other.ts", 1, 1)), 999, 1);
    tree.add(tree.child(0, engine("(garbage collector)")), 500, 1);
    tree.add(tree.child(0, engine("(program)")), 100, 1);
    const { nodes, samples, timeDeltas, startTime, endTime } = cpuProfileOf(tree);
    const of = (name: string) => nodes.find(({ callFrame }) => callFrame.functionName === name);
    assert.deepEqual(of("map"), {
      id: 2,
      callFrame: { functionName: "map", scriptId: "1", url: "file:///job.ts", lineNumber: 2, columnNumber: 4 },
      hitCount: 2,
      children: [3],
      positionTicks: [{ line: 4, ticks: 2 }],
    });
    assert.deepEqual([of("helper")?.callFrame.lineNumber, of("helper")?.callFrame.scriptId], [0, "2"]);
    assert.deepEqual([of("(program)")?.callFrame.lineNumber, of("(program)")?.callFrame.scriptId], [-1, "0"]);
    // What viewers give to the call before it comes before all calls; one call's samples are side by side.
    assert.deepEqual(samples, [5, 4, 2, 2, 3, 1]);
    assert.deepEqual(timeDeltas, [0, 100, 500, 1_000, 1_001, 999]);
    assert.deepEqual([startTime, endTime], [0, 3_600]);
  });

  it("of a long job has a bounded number of samples", () => {
    const tree = new CallTree();
    for (const name of ["a", "b", "c"]) tree.add(tree.child(0, frame(name)), 10_000_000_000, 10_000_000);
    tree.add(tree.child(0, frame("rare")), 1_000, 1);
    const profile = cpuProfileOf(tree);
    assertWellFormed(profile);
    assert.ok(profile.samples.length < 600_000, `${profile.samples.length} samples`);
    assert.equal(profile.endTime, 30_000_001_000);
    assert.ok(profile.nodes.every(({ hitCount, id }) => id === 1 || hitCount > 0));
  });
});
