import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aheadOf } from "./result-records.ts";

describe("reading ahead", () => {
  /** Counts up to `end`, then fails if it shall, and writes down what happens. */
  async function* counting(end: number, story: string[], failure?: Error): AsyncGenerator<number, void> {
    try {
      for (let i = 1; i <= end; i++) {
        story.push(`${i} made`);
        yield i;
      }
      if (failure !== undefined) throw failure;
    } finally {
      story.push("closed");
    }
  }

  it("has the next item made while the loop is busy with one, and never more than one", async () => {
    const story: string[] = [];
    for await (const item of aheadOf(counting(3, story))) {
      story.push(`${item} given`);
      await new Promise(setImmediate);
      story.push(`${item} done`);
    }
    assert.deepEqual(story, [
      ...["1 made", "2 made", "1 given", "1 done"],
      ...["3 made", "2 given", "2 done"],
      ...["closed", "3 given", "3 done"],
    ]);
  });

  it("throws a failure after the items in front of it, however long the loop takes for them", async () => {
    const failure = new Error("broken off");
    const seen: number[] = [];
    await assert.rejects(async () => {
      for await (const item of aheadOf(counting(2, [], failure))) {
        seen.push(item);
        await new Promise(setImmediate);
      }
    }, failure);
    assert.deepEqual(seen, [1, 2]);
  });

  it("closes what it reads when it is left early", async () => {
    const story: string[] = [];
    for await (const _ of aheadOf(counting(9, story))) break;
    assert.equal(story.at(-1), "closed");
    assert.deepEqual(story.filter((line) => line.endsWith("made")).length, 2);
  });
});
