import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StagePlan } from "../protocol/job-data.ts";
import { nopMap, nopReduce } from "../worker/nop.ts";
import type { AnyJobOptions } from "./job-options.ts";
import { FunctionList, planStages, withRefs } from "./plan.ts";

const map = nopMap;
const reduce = nopReduce;

function plan(options: Record<string, unknown>, partitioned = false): StagePlan[] {
  const context = { partitioned, concurrency: 16, readBefore: [] };
  return planStages({ input: [], ...options } as unknown as AnyJobOptions, context, new FunctionList());
}

function outline(stages: readonly StagePlan[]): string {
  return stages
    .map(({ name, grouping, partitions, final }) => `${name} ${grouping} ${partitions}${final ? " final" : ""}`)
    .join(", ");
}

describe("the plan of a job", () => {
  it("is one map stage, whose partitions are results", () => {
    assert.equal(outline(plan({ map })), "map split 1 final");
    assert.equal(outline(plan({ map, partitions: 3 })), "map split 3 final");
    assert.equal(outline(plan({ map, partitions: null })), "map split null final");
  });

  it("is a map and a reduce for each partition", () => {
    assert.equal(outline(plan({ map, reduce, partitions: 4 })), "map split 4, reduce group_label null final");
    assert.equal(outline(plan({ map, reduce, nrReduces: 4 })), "map split 4, reduce group_label null final");
  });

  it("has one reduce for one partition, none, or merged ones", () => {
    assert.equal(outline(plan({ map, reduce })), "map split 1, reduce group_all null final");
    assert.equal(outline(plan({ map, reduce, partitions: null })), "map split null, reduce group_all null final");
    assert.equal(
      outline(plan({ map, reduce, partitions: 4, mergePartitions: true })),
      "map split 4, reduce group_all null final",
    );
  });

  it("is one reduce stage over inputs, by label where they have one", () => {
    assert.equal(outline(plan({ reduce })), "reduce group_all null final");
    assert.equal(outline(plan({ reduce }, true)), "reduce group_label null final");
    assert.equal(outline(plan({ reduce, mergePartitions: true }, true)), "reduce group_all null final");
    assert.throws(() => plan({ reduce, mergePartitions: true }), /no partitions to merge/);
  });

  it("has the map write sorted runs for a sorting reduce, not for a merging one", () => {
    const flags = (sort: unknown): unknown =>
      plan({ map, reduce, sort }).map((stage) => [stage.sort, stage.sortOutput]);
    assert.deepEqual(flags(true), [
      [false, true],
      [true, false],
    ]);
    assert.deepEqual(flags("merge"), [
      [false, false],
      ["merge", false],
    ]);
    assert.deepEqual(flags(false), [
      [false, false],
      [false, false],
    ]);
  });

  it("chains the input streams, the reader last, and names each function once", () => {
    const fns = new FunctionList();
    const unpack = (): [] => [];
    const read = (): [] => [];
    const options = {
      input: [],
      map,
      reduce,
      mapInputStream: [unpack],
      mapReader: read,
      reduceReader: read,
      combiner: unpack,
    };
    const stages = planStages(
      options as unknown as AnyJobOptions,
      { partitioned: false, concurrency: 2, readBefore: [] },
      fns,
    );
    assert.deepEqual(
      fns.requests.map(({ role }) => role),
      ["map", "mapInputStream[0]", "mapReader", "reduce"],
    );
    assert.deepEqual(stages[0]?.inputStream, [1, 2]);
    assert.equal(stages[0]?.combiner, 1);
    assert.deepEqual(stages[1]?.inputStream, [2]);
    const [shipped] = stages.map((stage) => withRefs(stage, [10, 11, 12, 13]));
    assert.deepEqual([shipped?.fn, shipped?.inputStream, shipped?.combiner, shipped?.init], [10, [11, 12], 11, null]);
  });

  it("is what a pipeline says, with names and groupings where it says nothing", () => {
    const pipeline = [
      { map, partitions: 3 },
      { reduce, sort: true, name: "count" },
      { reduce, grouping: "group_all" },
    ];
    const stages = plan({ pipeline });
    assert.equal(outline(stages), "stage0 split 3, count group_label 1, stage2 group_all null final");
    assert.deepEqual(
      stages.map(({ sortOutput }) => sortOutput),
      [true, false, false],
    );
  });
});
