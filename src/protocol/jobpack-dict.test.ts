import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readDiscoDict } from "./jobpack-dict.ts";

const common = { prefix: "count", owner: "me@here", worker: "lib/disco/worker/classic/worker.py" };
const version1 = { ...common, input: ["raw://data"], scheduler: {}, nr_reduces: "2", "map?": true };
const version2 = { ...common, pipeline: [["map", "split", false]], inputs: [[0, 5, ["raw://data"]]] };
const refusal = (message: RegExp) => ({ name: "JobError", code: "bad-jobpack", message });

function pipelineOf(change: Record<string, unknown>): string {
  const { pipeline } = readDiscoDict({ ...version1, ...change }, 1);
  return pipeline.map(({ name, grouping }) => `${name} ${grouping}`).join(", ");
}

describe("a job dict of version 1", () => {
  it("means the pipeline that Disco makes of it", () => {
    const reduce = { "map?": false, "reduce?": true };
    const both = { "reduce?": true };
    assert.equal(pipelineOf({}), "map split, map_shuffle group_node");
    assert.equal(pipelineOf({ ...both, nr_reduces: 1 }), "map split, map_shuffle group_node, reduce group_all");
    assert.equal(pipelineOf(both), "map split, map_shuffle group_node, reduce group_label");
    assert.equal(
      pipelineOf({ ...both, "reduce_shuffle?": true }),
      "map split, map_shuffle group_node, reduce group_label, reduce_shuffle group_node",
    );
    assert.equal(
      pipelineOf({ ...both, "reduce_shuffle?": true, nr_reduces: "1" }),
      "map split, map_shuffle group_node, reduce group_all",
    );
    assert.equal(pipelineOf({ ...reduce, nr_reduces: 1 }), "reduce group_all");
    assert.equal(pipelineOf(reduce), "reduce group_label");
    assert.equal(pipelineOf({ "map?": false }), "");
  });

  it("has inputs that are addresses or lists of replicas, and one copy of an index", () => {
    const input = ["raw://a", ["http://a", "http://b"], ["dir://a/x", "dir://b/x"]];
    const { inputs } = readDiscoDict({ ...version1, input }, 1);
    assert.deepEqual(
      inputs.map(({ replicas }) => replicas),
      [["raw://a"], ["http://a", "http://b"], ["dir://a/x"]],
    );
  });

  it("has a scheduler with defaults; local wins over remote", () => {
    const { maxCores, forceLocal, forceRemote } = readDiscoDict(version1, 1);
    assert.deepEqual([maxCores, forceLocal, forceRemote], [2 ** 31, false, false]);
    const scheduler = { max_cores: 3, force_local: true, force_remote: true };
    const given = readDiscoDict({ ...version1, scheduler }, 1);
    assert.deepEqual([given.maxCores, given.forceLocal, given.forceRemote], [3, true, false]);
  });
});

describe("a job dict of version 2", () => {
  it("names its stages and its inputs with label and size", () => {
    const { pipeline, inputs } = readDiscoDict(version2, 2);
    assert.deepEqual(pipeline, [{ name: "map", grouping: "split", concurrent: false }]);
    assert.deepEqual(inputs, [{ label: 0, size: 5, replicas: ["raw://data"] }]);
  });
});

describe("a job dict that is wrong", () => {
  const wrong: [version: 1 | 2, change: Record<string, unknown>, message: RegExp][] = [
    [1, { owner: 5 }, /invalid owner/],
    [1, { worker: "/bin/sh" }, /invalid worker/],
    [1, { worker: "a/../../sh" }, /invalid worker/],
    [1, { worker: "" }, /invalid worker/],
    [1, { nr_reduces: "two" }, /invalid nr_reduces/],
    [1, { nr_reduces: -1 }, /invalid nr_reduces/],
    [1, { input: "raw://data" }, /invalid input: a list/],
    [1, { input: [[]] }, /invalid input\[0\]/],
    [1, { input: [5] }, /invalid input\[0\]/],
    [1, { input: ["a\0b"] }, /NUL/],
    [1, { "map?": "yes" }, /invalid map\?/],
    [1, { scheduler: [] }, /invalid scheduler/],
    [1, { scheduler: { max_cores: 0 } }, /scheduler\.max_cores/],
    [1, { save_results: 1 }, /invalid save_results/],
    [1, { save_info: "s3" }, /invalid save_info/],
    [2, { pipeline: {} }, /invalid pipeline/],
    [2, { pipeline: [["map", "split"]] }, /invalid pipeline\[0\]/],
    [2, { pipeline: [["map", "spilt", false]] }, /invalid grouping "spilt"/],
    [2, { pipeline: [0, 1].map(() => ["map", "split", false]) }, /repeated/],
    [2, { inputs: [[0, 5]] }, /invalid inputs\[0\]/],
    [2, { inputs: [[-1, 5, ["raw://a"]]] }, /inputs\[0\]\[0\]/],
    [2, { inputs: [[0, 5, "raw://a"]] }, /inputs\[0\]\[2\]/],
  ];
  for (const [version, change, message] of wrong) {
    it(`is refused: ${JSON.stringify(change)}`, () => {
      const dict = { ...(version === 1 ? version1 : version2), ...change };
      assert.throws(() => readDiscoDict(dict, version), refusal(message));
    });
  }
});
