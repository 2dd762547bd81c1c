import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobInfo, StageInfo } from "../../client/master-api.ts";
import { WaitNotice } from "./wait-notice.ts";

function job(running: number, waits: readonly string[], status: JobInfo["status"] = "active"): JobInfo {
  const stage: StageInfo = {
    stage: "map",
    tasks: 2,
    waiting: 2 - running,
    queued: 0,
    running,
    done: 0,
    failed: 0,
    recordsIn: 0,
    recordsOut: 0,
    bytesIn: 0,
    bytesTotal: 0,
  };
  return {
    name: "j@1:2:3",
    status,
    owner: "o",
    submittedAt: 0,
    endedAt: null,
    stages: [stage],
    inputs: [],
    results: [],
    hosts: [],
    waits,
    reason: null,
    failure: null,
    peakRss: 0,
  };
}

test("the reason for which a job stands still for a while is said once, and again when it is another one", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const lines: string[] = [];
  const notice = new WaitNotice((line) => lines.push(line), 3000);
  notice.update(job(0, ["all slots are taken"]));
  t.mock.timers.tick(2999);
  assert.deepEqual(lines, []);
  notice.update(job(0, ["all nodes are blacklisted"]));
  t.mock.timers.tick(1);
  assert.deepEqual(
    lines,
    ["j@1:2:3 waits: all nodes are blacklisted"],
    "the latest reason, since the job began to wait",
  );
  notice.update(job(0, ["all nodes are blacklisted"]));
  t.mock.timers.tick(3000);
  assert.equal(lines.length, 1);
  notice.update(job(0, ["no nodes"]));
  t.mock.timers.tick(3000);
  assert.equal(lines.length, 2);
});

test("a job that runs, or has ended, waits for nothing", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const lines: string[] = [];
  const notice = new WaitNotice((line) => lines.push(line), 3000);
  notice.update(job(0, ["all slots are taken"]));
  notice.update(job(1, ["max_cores 1 reached"]));
  t.mock.timers.tick(10_000);
  notice.update(job(0, ["all slots are taken"]));
  notice.update(job(0, [], "dead"));
  t.mock.timers.tick(10_000);
  assert.deepEqual(lines, []);
});
