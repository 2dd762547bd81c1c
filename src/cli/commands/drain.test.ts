import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sentenceOf } from "./drain.ts";

const removal = { host: "n1", draining: true, attempts: 0, jobs: [] as string[], resultsOfJobs: 0, safe: true };

describe("a node that is drained", () => {
  it("is said to be free when it is, and else what keeps it", () => {
    assert.equal(sentenceOf(removal), "n1 can be taken away");
    assert.equal(
      sentenceOf({ ...removal, safe: false, attempts: 2, jobs: ["a@1"], resultsOfJobs: 3 }),
      "n1 cannot be taken away yet: 2 tasks run or wait there, 1 active jobs may read from it, results of 3 jobs lie there: copy them, or purge the jobs",
    );
    assert.match(sentenceOf({ ...removal, safe: false, draining: false }), /it is not being drained$/);
  });
});
